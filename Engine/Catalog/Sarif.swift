import UsherCore

extension CatalogReport {
    /// SARIF 2.1.0, for code hosts and editors. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    package func sarif(file: String) -> JSON {
        let results = diagnostics.map { diagnostic -> JSON in
            [
                "ruleId": .string(diagnostic.code.rawValue), "level": .string(diagnostic.severity.rawValue),
                "message": ["text": .string(diagnostic.message)],
                "locations": [
                    [
                        "physicalLocation": [
                            "artifactLocation": ["uri": .string(file)],
                            "region": ["startLine": .int(Int64(diagnostic.line)), "startColumn": .int(Int64(diagnostic.column))],
                        ]
                    ]
                ],
            ]
        }
        let rules = Diagnostic.Code.allCases.map { code -> JSON in ["id": .string(code.rawValue)] }
        return [
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
            "runs": [
                [
                    "tool": ["driver": ["name": "usher", "rules": .array(rules)]], "columnKind": "unicodeCodePoints",
                    "results": .array(results),
                ]
            ],
        ]
    }
}
