extension Duration {
    /// Reads `90s`, `15m`, `1h30m`, `1d` or ISO 8601 (`PT30M`, `P1DT2H`); `nil` for anything else, zero and a bare number included.
    public init?(written text: String) {
        let iso = text.hasPrefix("P") || text.hasPrefix("p")
        var rest = Substring(text.uppercased())
        if iso { rest = rest.dropFirst() }
        var total: Int64 = 0
        var inTime = !iso
        var last = Int64.max
        while !rest.isEmpty {
            if iso, rest.first == "T" {
                guard !inTime, rest.count > 1 else { return nil }
                inTime = true
                rest = rest.dropFirst()
            }
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let count = Int64(digits), count < 1_000_000, let unit = rest.dropFirst(digits.count).first else { return nil }
            let seconds: Int64
            switch unit {
            case "W" where iso && !inTime: seconds = 604_800
            case "D" where !iso || !inTime: seconds = 86_400
            case "H" where inTime: seconds = 3_600
            case "M" where inTime: seconds = 60
            case "S" where inTime: seconds = 1
            default: return nil
            }
            guard seconds < last else { return nil }
            last = seconds
            total += count * seconds
            rest = rest.dropFirst(digits.count + 1)
        }
        guard total > 0 else { return nil }
        self = .seconds(total)
    }

    /// `1h30m`, as the catalogue writes it.
    public var inWords: String {
        let parts = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] as [(String, Int64)]
        var rest = wholeSeconds
        var out = ""
        for (unit, seconds) in parts where rest >= seconds {
            out += "\(rest / seconds)\(unit)"
            rest %= seconds
        }
        return out.isEmpty ? "0s" : out
    }
}
