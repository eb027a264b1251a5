/// The values of a template as dictionaries. A template asks for each name of each value that is around it, and would look through all
/// properties of a struct every time; so each struct is looked through once.
enum TemplateValues {
    /// Structs become dictionaries of their properties, without those that are `nil`; lists are gone through; all else stays.
    static func unfolded(_ value: Any) -> Any {
        switch value {
        case is String, is Bool, is Int, is [String], is [String: String]: return value
        case let list as [Any]: return list.map(unfolded)
        default: break
        }
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .struct else { return value }
        var names: [String: Any] = [:]
        for child in mirror.children {
            guard let name = child.label, let present = present(child.value) else { continue }
            names[name] = unfolded(present)
        }
        return names
    }

    /// What an optional holds; the value itself where it is none.
    private static func present(_ value: Any) -> Any? {
        guard let optional = value as? any OptionalValue else { return value }
        return optional.held
    }
}

private protocol OptionalValue {
    var held: Any? { get }
}

extension Optional: OptionalValue {
    fileprivate var held: Any? {
        guard case .some(let held) = self else { return nil }
        return held
    }
}
