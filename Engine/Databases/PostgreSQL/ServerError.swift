import CLibPQ
import UsherCore

/// What the server, or libpq in its place, said went wrong.
struct ServerError: Error {
    /// Five characters; empty where libpq gave up on the connection by itself.
    /// Source: https://www.postgresql.org/docs/15/errcodes-appendix.html
    var state: String
    /// The rule that a row broke.
    var constraint = ""
    var message: String

    /// What is to be done about it.
    enum Remedy {
        /// Another transaction was first: run the body again.
        case runAgain
        /// The connection is of no use any more.
        case connectAgain
        /// The caller is told.
        case tell(DatabaseError.Kind)
    }

    /// Rules that two writers break at the same moment though neither did wrong: whoever runs again sees what the first one wrote.
    private static let races: Set<String> = [
        "timeline_pkey", "timeline_v11_pkey", "deliveries_in_order", "outbox_once", "idempotency_pkey", "steps_pkey", "steps_v11_pkey",
        "terms_pkey", "rooms_pkey", "pg_type_typname_nsp_index", "pg_class_relname_nsp_index",
    ]

    var remedy: Remedy {
        switch state {
        case "40001", "40P01": .runAgain
        case "23505": Self.races.contains(constraint) ? .runAgain : .tell(.duplicate)
        case "23503": .tell(.missing)
        case "55P03", "57014",
            _ where state.hasPrefix("53"):
            .tell(.busy)
        // A demoted primary takes no writes: another host may.
        case "", "57P01", "57P02", "57P03", "25P03", "25006",
            _ where state.hasPrefix("08"):
            .connectAgain
        case "XX001", "XX002": .tell(.corrupt)
        default: .tell(.other)
        }
    }

    /// As callers know it.
    var asDatabaseError: DatabaseError {
        let kind: DatabaseError.Kind =
            switch remedy {
            case .runAgain, .connectAgain: .busy
            case .tell(let kind): kind
            }
        return DatabaseError(kind, state.isEmpty ? message : "\(message) (\(state))")
    }
}
