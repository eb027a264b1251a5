import CLibPQ
import UsherCore

/// What libpq's results hold, in binary form.
enum Results {
    /// - Throws: ``ServerError``; ``DatabaseError`` for a type that no statement of ours yields.
    static func answer(_ result: OpaquePointer) throws -> Connection.Answer {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
            return Connection.Answer(
                rows: try (0..<PQntuples(result)).map { try row(result, $0) }, count: Int(String(cString: PQcmdTuples(result))) ?? 0,
                tag: String(cString: PQcmdStatus(result)))
        case PGRES_PIPELINE_ABORTED: throw ServerError(state: "25P02", message: "a statement before it failed")
        default:
            throw ServerError(
                state: field(result, "C"), constraint: field(result, "n"),
                message: String(cString: PQresultErrorMessage(result)).trimmingBlanks)
        }
    }

    /// A part of an error, by its letter.
    /// Source: https://www.postgresql.org/docs/15/protocol-error-fields.html
    private static func field(_ result: OpaquePointer, _ letter: Character) -> String {
        PQresultErrorField(result, Int32(letter.asciiValue ?? 0)).map { String(cString: $0) } ?? ""
    }

    private static func row(_ result: OpaquePointer, _ row: Int32) throws -> SQLRow {
        SQLRow(try (0..<PQnfields(result)).map { try value(result, row, $0) })
    }

    private static func value(_ result: OpaquePointer, _ row: Int32, _ column: Int32) throws -> SQLValue {
        if PQgetisnull(result, row, column) == 1 { return .null }
        let bytes = UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
        switch PQftype(result, column) {
        // bigint, integer, smallint, boolean
        case 20, 23, 21, 16: return .int(integer(bytes))
        // text, varchar, name, and a literal
        case 25, 1_043, 19, 705: return .text(String(decoding: bytes, as: UTF8.self))
        // void
        case 2_278: return .null
        case let type: throw DatabaseError(.other, "column \(column + 1) is of type \(type), which no statement of ours yields")
        }
    }

    /// Big-endian, of one to eight bytes, with its sign.
    private static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        let isNegative = bytes.count > 1 && bytes[0] & 0x80 != 0
        return bytes.reduce(isNegative ? -1 : 0) { $0 << 8 | Int64($1) }
    }
}
