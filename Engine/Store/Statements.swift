extension Store {
    /// Every statement, for the test that has PostgreSQL prepare them all.
    package static let statements: [String] =
        SchemaSQL.all + BookingSQL.all + OwnerSQL.all + RoomSQL.all + JobSQL.all + OutboxSQL.all + TimelineSQL.all + LinkSQL.all
        + ProcessSQL.all + IdempotencySQL.all + TokenSQL.all + ConnectionSQL.all + ConsentSQL.all + SessionSQL.all + SealedSQL.all
        + KeySQL.all + WebhookSQL.all + AdminSQL.all + NoticeSQL.all + CalendarSQL.all + AppSQL.all
        + HealthSQL.all + LostSQL.all + AuditSQL.all + RevocationSQL.all + HoldSQL.all + BusyCalendarSQL.all + PageFormSQL.all
        + TimeOffSQL.all + TallySQL.all + CalendarSubscriptionSQL.all + CatalogueSQL.all + InstallationSQL.all + PersonSQL.all + RateSQL.all
        + ReleaseSQL.all
}
