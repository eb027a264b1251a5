import Foundation
import UsherCore

/// Looks at what a server's settings and state mean for what Usher promises.
/// Source: https://www.postgresql.org/docs/15/runtime-config-wal.html, https://www.postgresql.org/docs/15/monitoring-stats.html
struct ServerExamination {
    let session: any SQLSession

    func findings(clock: Instant) throws -> [DatabaseFinding] {
        [try version()] + (try durability()) + (try [replication(), clockDifference(clock)]) + (try longTransactions()) + (try leftovers())
    }

    private func setting(_ name: String) throws -> String {
        try session.query("SELECT COALESCE(current_setting($1, true), '')", [.text(name)])[0].text(0)
    }

    private func version() throws -> DatabaseFinding {
        let (text, number) = (try setting("server_version"), Int(try setting("server_version_num")) ?? 0)
        guard number < 150_000 else { return DatabaseFinding("PostgreSQL \(text)") }
        return DatabaseFinding("PostgreSQL \(text) is older than what Usher is tested with", remedy: "Upgrade to 15 or newer.")
    }

    /// A commit that was said to be done must be there after a power cut, or a room is made twice.
    private func durability() throws -> [DatabaseFinding] {
        try [("fsync", ["on"]), ("full_page_writes", ["on"]), ("synchronous_commit", ["on", "remote_apply", "remote_write", "local"])]
            .compactMap { name, fine in
                let value = try setting(name)
                guard !fine.contains(value) else { return nil }
                return DatabaseFinding(
                    "\(name) is \(value): what was committed may be gone after a crash, and rooms would be made twice",
                    remedy: "Set \(name) = on for Usher's database.")
            }
    }

    private func replication() throws -> DatabaseFinding {
        let standbys = try session.query(
            "SELECT COALESCE(application_name, ''), COALESCE(sync_state, '') FROM pg_stat_replication ORDER BY 1", [])
        if standbys.isEmpty { return DatabaseFinding("no standby is connected: a failover is not prepared for") }
        // The server shows others' state to those alone who may see it.
        guard try standbys.allSatisfy({ try !$0.text(1).isEmpty }) else {
            return DatabaseFinding(
                "standbys: \(standbys.count), whose state this user may not see",
                remedy: "Let it: GRANT pg_read_all_stats TO \(try session.query("SELECT quote_ident(current_user)", [])[0].text(0))")
        }
        let states = try standbys.map { "\(try $0.text(0)) \(try $0.text(1))" }.joined(separator: ", ")
        let isSynchronous = try standbys.contains { try ["sync", "quorum"].contains($0.text(1)) }
        let commit = try setting("synchronous_commit")
        if isSynchronous, commit == "local" {
            return DatabaseFinding(
                "standbys: \(states), and synchronous_commit is local: no commit waits for them, and the last ones are lost when one takes over",
                remedy: "Set synchronous_commit = on for Usher's database.")
        }
        return isSynchronous
            ? DatabaseFinding("standbys: \(states)")
            : DatabaseFinding(
                "standbys: \(states): the last commits are lost when one of them takes over",
                remedy: "Name one in synchronous_standby_names, or accept that a room may be left over at a provider after a failover.")
    }

    private func clockDifference(_ clock: Instant) throws -> DatabaseFinding {
        let difference = Environment.system.now() - clock
        let seconds = abs(difference.microseconds) / 1_000_000
        return seconds < 5
            ? DatabaseFinding("this machine's clock and the server's agree")
            : DatabaseFinding(
                "this machine's clock is \(seconds) s \(difference > .zero ? "ahead of" : "behind") the server's, whose time counts",
                remedy: "Have both set by NTP: certificates and tokens are judged by other clocks.")
    }

    /// What keeps old rows alive, so that every look at the queue reads them.
    private func longTransactions() throws -> [DatabaseFinding] {
        try session.query(
            """
            SELECT COALESCE(NULLIF(application_name, ''), 'a client'), pid::bigint, (extract(epoch FROM now() - xact_start))::bigint
            FROM pg_stat_activity WHERE datname = current_database() AND xact_start < now() - interval '5 minutes' ORDER BY 3 DESC LIMIT 5
            """, []
        ).map { row in
            DatabaseFinding(
                "\(try row.text(0)) (process \(try row.int(1))) has had a transaction open for \(try row.int(2) / 60) minutes: the queue grows slow",
                remedy: "End it: SELECT pg_terminate_backend(\(try row.int(1)))")
        }
    }

    private func leftovers() throws -> [DatabaseFinding] {
        let slots = try session.query("SELECT slot_name::text FROM pg_replication_slots WHERE NOT active", []).map {
            DatabaseFinding(
                "the replication slot \(try $0.text(0)) is not used: it keeps old rows and logs for ever",
                remedy: "Drop it: SELECT pg_drop_replication_slot('\(try $0.text(0))')")
        }
        let prepared = try session.query("SELECT gid::text FROM pg_prepared_xacts WHERE database = current_database()", []).map {
            DatabaseFinding("the prepared transaction \(try $0.text(0)) was never ended", remedy: "ROLLBACK PREPARED '\(try $0.text(0))'")
        }
        return slots + prepared
    }
}
