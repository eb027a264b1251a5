/// What a template shows: texts, flags and lists by name. The same kind of letter has the same names in the same order,
/// whatever they hold; what there is nothing to say of is an empty text.
struct TemplateContext {
    enum Value {
        case text(String)
        case flag(Bool)
        case list([TemplateContext])
    }

    struct Entry {
        var name: String
        var value: Value
    }

    private(set) var values: [Entry] = []

    mutating func text(_ name: String, _ text: String) { values.append(Entry(name: name, value: .text(text))) }
    mutating func flag(_ name: String, _ isTrue: Bool) { values.append(Entry(name: name, value: .flag(isTrue))) }
    mutating func list(_ name: String, _ items: [TemplateContext]) { values.append(Entry(name: name, value: .list(items))) }

    /// What decides which parts of a template appear: which texts are empty, which flags are set, how long the lists are.
    var shape: [UInt8] {
        var shape: [UInt8] = []
        shape.reserveCapacity(64)
        addShape(to: &shape)
        return shape
    }

    private func addShape(to shape: inout [UInt8]) {
        for entry in values {
            switch entry.value {
            case .text(let text): shape.append(text.isEmpty ? 0 : 1)
            case .flag(let isTrue): shape.append(isTrue ? 1 : 0)
            case .list(let items):
                shape.append(UInt8(truncatingIfNeeded: items.count))
                shape.append(UInt8(truncatingIfNeeded: items.count >> 8))
                for item in items { item.addShape(to: &shape) }
            }
        }
    }

    /// All texts, those of lists where they stand.
    var texts: [String] {
        var texts: [String] = []
        texts.reserveCapacity(64)
        addTexts(to: &texts)
        return texts
    }

    private func addTexts(to texts: inout [String]) {
        for entry in values {
            switch entry.value {
            case .text(let text): texts.append(text)
            case .flag: break
            case .list(let items): for item in items { item.addTexts(to: &texts) }
            }
        }
    }
}
