// swift-tools-version: 6.2
import PackageDescription

// A package of a third party: two modules, the program that has them, and the kit that tries them. It uses what Usher offers to
// everyone, and nothing else. In a package of your own, name Usher by its URL and version in place of the path.
let package = Package(
    name: "example",
    dependencies: [.package(name: "usher", path: "../..")],
    targets: [
        .target(name: "Corridor", dependencies: [.product(name: "UsherCore", package: "usher")]),
        .target(
            name: "Reception",
            dependencies: [.product(name: "UsherCore", package: "usher"), .product(name: "ProviderSupport", package: "usher")]),
        .executableTarget(name: "corridor-usher", dependencies: ["Corridor", "Reception", .product(name: "Usher", package: "usher")]),
        .testTarget(
            name: "ExampleTests",
            dependencies: [
                "Corridor", "Reception", .product(name: "ProviderConformance", package: "usher"),
                .product(name: "ProviderTesting", package: "usher"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
