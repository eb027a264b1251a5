import UsherCore

extension Letter {
    /// The letter in its reader's language, and without marks that turn the direction of writing around: one in a name would run on to the end of its line.
    var legible: Letter {
        var letter = self
        letter.booking.terms.type = booking.terms.type.spoken(in: language)
        return letter.withoutTurns
    }

    private var withoutTurns: Letter {
        let texts =
            [
                booking.terms.site.name, booking.terms.type.title, booking.terms.type.description, booking.terms.type.intro,
                booking.terms.owner.name, booking.details.note,
            ]
            + booking.attendees.map(\.name)
        guard texts.contains(where: { $0.turnsDirection }) else { return self }
        var letter = self
        letter.booking.terms.site.name = booking.terms.site.name.withoutTurns
        letter.booking.terms.type.title = booking.terms.type.title.withoutTurns
        letter.booking.terms.type.description = booking.terms.type.description.withoutTurns
        letter.booking.terms.type.intro = booking.terms.type.intro.withoutTurns
        letter.booking.terms.owner.name = booking.terms.owner.name.withoutTurns
        letter.booking.details.note = booking.details.note.withoutTurns
        for index in booking.attendees.indices { letter.booking.attendees[index].name = booking.attendees[index].name.withoutTurns }
        return letter
    }
}

extension String {
    /// Embeddings, overrides and isolates (Unicode TR 9 §2.1 to §2.5); the plain marks that every text may hold are none of them.
    var turnsDirection: Bool { utf8.contains(0xE2) && unicodeScalars.contains(where: Self.isTurn) }
    var withoutTurns: String {
        guard turnsDirection else { return self }
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars where !Self.isTurn(scalar) { text.append(scalar) }
        return String(text)
    }

    private static func isTurn(_ scalar: Unicode.Scalar) -> Bool {
        (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    }
}
