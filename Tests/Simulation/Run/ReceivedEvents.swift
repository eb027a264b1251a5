import Crypto
import Foundation
import TestSupport
import UsherCore
import UsherPipeline
import UsherStore

/// What a program that is told of events must have heard after any run.
struct ReceivedEvents {
    let store: Store
    let received: [HTTPRequest]
    let webhook: String
    /// Events that somebody had sent once more: they tell of the past, as asked.
    let replayed: Set<String>
    /// What signatures are checked with; empty where a secret was lost on its way to the receiver.
    let secrets: [Secret]
    /// Whether the webhook was off for a while: nothing is written for it then.
    let mayBeIncomplete: Bool
    /// Whether every try has been made that will be.
    let isLongAgo: Bool

    func violations(bookings: [String]) async throws -> [String] {
        let log = try await store.read { [webhook] tx in try bookings.map { try tx.deliveries(of: webhook, about: $0) } }
        let subjects = Dictionary(uniqueKeysWithValues: log.flatMap(\.self).map { ($0.id, $0.subject) })
        // What is told of connections, calendars and holds belongs to no booking.
        let others = ["connection.", "calendar.", "hold."].map { "\"type\":\"\($0)" }
        let ofBookings = received.filter { request in
            let text = String(decoding: request.body, as: UTF8.self)
            return !others.contains { text.contains($0) }
        }
        let heard = Dictionary(grouping: ofBookings.map(Self.id)) { subjects[$0] ?? "nobody" }
        return received.filter { !isSigned($0) }.map { "\(Self.id($0)) was told, and is not signed" }
            + endedTwice()
            + (heard["nobody"] ?? []).map { "\($0) was told, and is not in the log" }
            + zip(bookings, log).flatMap { id, written in
                let heard = heard[id] ?? []
                return violations(written, heard).map { "\(id): \($0): \(written.map { "\($0.type) \($0.state)" })" }
            }
    }

    /// Holds of whose end more than one event told.
    private func endedTwice() -> [String] {
        let ends = received.compactMap { request -> (hold: String, event: String)? in
            guard let body = try? JSON(parsing: request.body), body["type"] == "hold.expired" else { return nil }
            return body["data"]?["id"]?.string.map { ($0, Self.id(request)) }
        }
        return Dictionary(grouping: ends, by: \.hold).filter { Set($0.value.map(\.event)).count > 1 }.keys.sorted()
            .map { "\($0) was said to have ended twice" }
    }

    /// - Parameter heard: ids in the order in which they came, repeats among them.
    private func violations(_ written: [StoredDelivery], _ heard: [String]) -> [String] {
        var found: [String] = []
        if !mayBeIncomplete, written.first?.type != "booking.confirmed" { found.append("did not begin with its confirmation") }
        if written.count(where: { $0.type == "booking.confirmed" }) > 1 { found.append("was confirmed twice") }
        if written.count(where: { $0.type == "booking.cancelled" }) > 1 { found.append("was cancelled twice") }
        // A row of bad luck takes hours by the schedule, and then those behind it wait, too.
        let isPatient = !isLongAgo && written.contains { $0.attempts > 2 }
        if !isPatient, !mayBeIncomplete, written.contains(where: { $0.state != .sent }) { found.append("was not told of everything") }
        for delivery in written where delivery.state == .sent && !heard.contains(delivery.id) {
            found.append("counts as told and never was")
        }
        // What comes again is the last one: nothing overtakes.
        let heard = heard.filter { !replayed.contains($0) }
        let firsts = heard.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        if firsts != written.map(\.id).filter(firsts.contains) { found.append("was told out of order") }
        if zip(heard, heard.dropFirst()).contains(where: { firsts.firstIndex(of: $0)! > firsts.firstIndex(of: $1)! }) {
            found.append("was told of the past again")
        }
        return found
    }

    /// By the description of the webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    private func isSigned(_ request: HTTPRequest) -> Bool {
        guard !secrets.isEmpty else { return true }
        let header = { name in request.headers.first { $0.name == name }?.value ?? "" }
        let signed = Data("\(header("webhook-id")).\(header("webhook-timestamp")).".utf8) + request.body
        let given = header("webhook-signature").split(separator: " ").map(String.init)
        return secrets.contains { secret in
            let key = SymmetricKey(data: Data(base64Encoded: String(secret.reveal().dropFirst("whsec_".count))) ?? Data())
            return given.contains("v1," + Data(HMAC<SHA256>.authenticationCode(for: signed, using: key)).base64EncodedString())
        }
    }

    private static func id(_ request: HTTPRequest) -> String { request.headers.first { $0.name == "webhook-id" }?.value ?? "" }
}
