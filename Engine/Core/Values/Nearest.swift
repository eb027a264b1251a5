/// The one of `candidates` that `name` was probably meant to be: the fewest edits away, at most a third of its length.
public func nearest(_ name: String, _ candidates: some Sequence<String>) -> String? {
    let limit = max(1, min(name.count, 60) / 3)
    return
        candidates
        .filter { abs($0.count - name.count) <= limit }
        .map { (candidate: $0, distance: editDistance(Array(name.lowercased()), Array($0.lowercased()))) }
        .filter { $0.distance <= limit }
        .min { $0.distance < $1.distance }?.candidate
}

/// ` Did you mean 'x'?` to follow a sentence; empty where nothing is near.
public func didYouMean(_ name: String, _ candidates: some Sequence<String>) -> String {
    nearest(name, candidates).map { " Did you mean '\($0)'?" } ?? ""
}

/// `; did you mean 'x'?` to end a clause; `otherwise` where nothing is near.
public func hint(_ name: String, _ candidates: some Sequence<String>, otherwise: String = "") -> String {
    nearest(name, candidates).map { "; did you mean '\($0)'?" } ?? otherwise
}

/// `1 provider`, `2 providers`.
public func counted(_ count: Int, _ name: String) -> String { "\(count) \(name)\(count == 1 ? "" : "s")" }

/// Damerau's distance with adjacent transpositions.
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
    var before: [Int] = []
    var previous = Array(0...right.count)
    for i in left.indices {
        var row = [i + 1]
        for j in right.indices {
            let replaced = previous[j] + (left[i] == right[j] ? 0 : 1)
            var best = min(replaced, previous[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { best = min(best, before[j - 1] + 1) }
            row.append(best)
        }
        (before, previous) = (previous, row)
    }
    return previous[right.count]
}
