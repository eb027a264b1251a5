import CLibPQ
import UsherCore

/// The arguments of a statement as libpq takes them: integers as eight bytes, texts as UTF-8, each with its type, because the server
/// would take some integers for shorter ones.
struct Parameters {
    private var bytes: [[UInt8]?] = []
    private var types: [Oid] = []
    /// A letter for each type.
    private(set) var signature = ""

    private static let bigint: Oid = 20
    private static let text: Oid = 25

    init(_ arguments: [SQLValue]) {
        for argument in arguments {
            switch argument {
            case .int(let value):
                bytes.append(withUnsafeBytes(of: value.bigEndian) { Array($0) })
                types.append(Self.bigint)
                signature += "i"
            case .text(let value):
                bytes.append(Array(value.utf8))
                types.append(Self.text)
                signature += "t"
            case .null:
                bytes.append(nil)
                types.append(0)
                signature += "n"
            }
        }
    }

    func prepare(_ handle: OpaquePointer, _ name: String, _ sql: String) -> Int32 {
        PQsendPrepare(handle, name, sql, Int32(types.count), types)
    }

    func send(_ handle: OpaquePointer, prepared name: String) -> Int32 {
        withPointers { values, lengths, formats in
            PQsendQueryPrepared(handle, name, Int32(types.count), values, lengths, formats, 1)
        }
    }

    func send(_ handle: OpaquePointer, _ sql: String) -> Int32 {
        withPointers { values, lengths, formats in
            PQsendQueryParams(handle, sql, Int32(types.count), types, values, lengths, formats, 1)
        }
    }

    private func withPointers<Result>(
        _ body: ([UnsafePointer<CChar>?], [Int32], [Int32]) -> Result
    ) -> Result {
        // One block for all, each value at its own place; an empty text is not NULL.
        var block: [UInt8] = []
        let places = bytes.map { value in
            defer { block += (value ?? []) + [0] }
            return value == nil ? nil : block.count
        }
        let lengths = bytes.map { Int32($0?.count ?? 0) }
        return block.withUnsafeBytes { block in
            let values = places.map { place in
                place.flatMap { block.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
            }
            return body(values, lengths, Array(repeating: 1, count: bytes.count))
        }
    }
}
