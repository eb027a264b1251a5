// swift-tools-version: 6.2
import PackageDescription

/// A module of the engine or of a provider: `name` at `path`, with what it may import.
func module(_ name: String, at path: String, _ dependencies: Target.Dependency..., resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: path, resources: resources)
}

func test(_ name: String, at path: String, _ dependencies: Target.Dependency..., excluding: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: path, exclude: excluding)
}

extension Target.Dependency {
    static let logging = product(name: "Logging", package: "swift-log")
    static let yams = product(name: "Yams", package: "Yams")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let sqlite = product(name: "GRDBSQLite", package: "GRDB.swift")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras = product(name: "CryptoExtras", package: "swift-crypto")
    static let mustache = product(name: "Mustache", package: "swift-mustache")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let httpClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nio = product(name: "NIOPosix", package: "swift-nio")
    static let nioHTTP = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioHTTPTypes = product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let signals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let arguments = product(name: "ArgumentParser", package: "swift-argument-parser")
}

let package = Package(
    name: "usher",
    products: [
        .executable(name: "usher", targets: ["usher"]),
        .library(name: "Usher", targets: ["Usher"]),
        .library(name: "UsherCore", targets: ["UsherCore"]),
        .library(name: "ProviderSupport", targets: ["ProviderSupport"]),
        .library(name: "ProviderTesting", targets: ["ProviderTesting"]),
        .library(name: "ProviderConformance", targets: ["ProviderConformance"]),
        .library(name: "BusySourceConformance", targets: ["BusySourceConformance"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),

        // What those need: every version that is built is written here, and a build next year is the build of today.
        .package(url: "https://github.com/apple/swift-algorithms", exact: "1.2.1"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-async-algorithms", exact: "1.1.4"),
        .package(url: "https://github.com/apple/swift-atomics", exact: "1.3.0"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", exact: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-structured-headers", exact: "1.7.0"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-transport-services", exact: "1.28.0"),
        .package(url: "https://github.com/apple/swift-numerics", exact: "1.1.1"),
        .package(url: "https://github.com/apple/swift-service-context", exact: "1.5.1"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
    ],
    targets: [
        // The engine
        module("UsherCore", at: "Engine/Core", .logging, resources: [.embedInCode("Languages/Words")]),
        module("UsherCatalog", at: "Engine/Catalog", "UsherCore", .yams),
        module("UsherStore", at: "Engine/Store", "UsherCore"),
        module("UsherAvailability", at: "Engine/Availability", "UsherCore"),
        module("UsherSQLite", at: "Engine/Databases/SQLite", "UsherCore", .grdb, .sqlite),
        .systemLibrary(name: "CLibPQ", path: "Engine/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        module("UsherPostgreSQL", at: "Engine/Databases/PostgreSQL", "UsherCore", "CLibPQ"),
        module("UsherVault", at: "Engine/Vault", "UsherCore", .crypto, .cryptoExtras),
        .systemLibrary(
            name: "CLibCurl", path: "Engine/CLibCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]),
        module(
            "UsherMail", at: "Engine/Mail", "UsherCore", "CLibCurl", .mustache,
            resources: [.embedInCode("Templates")]),
        module(
            "UsherPipeline", at: "Engine/Pipeline", "UsherAvailability", "UsherCore", "UsherStore", "UsherMail", "UsherVault"),
        .systemLibrary(name: "CZlib", path: "Engine/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        module(
            "UsherWeb", at: "Engine/Web", "CZlib", "UsherPipeline", "UsherCatalog", "UsherStore", "UsherVault", "UsherMail", .hummingbird,
            .httpTypes,
            .hummingbirdCore, .lifecycle, .mustache, .nioCore, .nioHTTPTypes, resources: [.embedInCode("Pages/Templates")]),
        module(
            "UsherAssembly", at: "Engine/Assembly", "Calendars", "UsherAvailability", "UsherWeb", "UsherSQLite", "UsherPostgreSQL", "Zoom",
            "GoogleMeet",
            "MicrosoftTeams",
            "SelfHosted",
            "ProviderSupport", "UsherCatalog", "UsherMail", "UsherPipeline", "UsherStore", "UsherVault", .crypto, .cryptoExtras,
            .httpClient, .lifecycle, .hummingbird,
            .nio, .nioCore, .nioHTTP, .nioSSL, .signals),
        module(
            "Usher", at: "Engine/CLI", "UsherAssembly", "UsherAvailability", "UsherCatalog", "UsherMail", "UsherPipeline", "UsherStore",
            "UsherWeb",
            "ProviderSandbox", .arguments, .httpTypes),
        .executableTarget(name: "usher", dependencies: ["Usher"], path: "Engine/Main"),

        // The providers
        module("ProviderSupport", at: "Providers/Support", "UsherCore", .crypto),
        module("Zoom", at: "Providers/Zoom", "ProviderSupport"),
        module("GoogleMeet", at: "Providers/GoogleMeet", "ProviderSupport"),
        module("MicrosoftTeams", at: "Providers/MicrosoftTeams", "ProviderSupport"),
        module("SelfHosted", at: "Providers/SelfHosted", "ProviderSupport"),
        .systemLibrary(name: "CLibICal", path: "Providers/CLibICal", providers: [.apt(["libical-dev"])]),
        module("Calendars", at: "Providers/Calendars", "ProviderSupport", "UsherCore", "CLibICal"),
        module("ProviderSandbox", at: "Providers/Sandbox", "UsherCore", .crypto, .hummingbird, .httpTypes),

        // The tests
        module("ProviderTesting", at: "Tests/Kits/ProviderTesting", "UsherCore"),
        module("ProviderConformance", at: "Tests/Kits/ProviderConformance", "ProviderTesting", "UsherCore"),
        module("BusySourceConformance", at: "Tests/Kits/BusySourceConformance", "ProviderSandbox", "UsherCore"),
        module(
            "TestValues", at: "Tests/Support/Values", "UsherCatalog", "UsherCore", "SelfHosted", "Zoom", "GoogleMeet", "MicrosoftTeams"),
        module("TestPostgreSQL", at: "Tests/Support/PostgreSQL", "UsherPostgreSQL", "UsherCore"),
        module(
            "TestSupport", at: "Tests/Support/Engine", "TestPostgreSQL", "TestValues", "UsherPostgreSQL", "UsherAssembly", "UsherCatalog",
            "UsherMail", "UsherPipeline",
            "UsherSQLite", "UsherStore", "UsherVault", "ProviderSandbox", "Zoom", "GoogleMeet", "MicrosoftTeams"),
        .executableTarget(
            name: "usher-bench",
            dependencies: [
                "ProviderSandbox", "UsherAssembly", "UsherAvailability", "UsherCore", "UsherMail", "UsherPostgreSQL", "UsherSQLite",
            ],
            path: "Tests/Benchmarks"),
        module(
            "Simulation", at: "Tests/Simulation/Run", "TestSupport", "TestValues", "ProviderSandbox", "UsherCatalog", "UsherCore",
            "UsherMail",
            "UsherPipeline", "UsherSQLite", "UsherStore", "UsherVault", .crypto),
        .executableTarget(name: "usher-simulate", dependencies: ["Simulation"], path: "Tests/Simulation/Command"),
        module("DatabaseConformance", at: "Tests/Kits/DatabaseConformance", "UsherCore"),
        // One for each part of the engine, so that a test builds again what it needs and no more.
        test("CoreTests", at: "Tests/Engine/Core", "UsherCore"),
        test("AvailabilityTests", at: "Tests/Engine/Availability", "UsherAvailability"),
        test("CatalogTests", at: "Tests/Engine/Catalog", "TestValues"),
        test("MailTests", at: "Tests/Engine/Mail", "TestValues", "UsherAvailability", "UsherMail", excluding: ["Golden"]),
        test(
            "StoreTests", at: "Tests/Engine/Store", "DatabaseConformance", "TestPostgreSQL", "TestValues", "UsherSQLite", "UsherPostgreSQL",
            "UsherStore",
            "UsherVault"),
        test("PipelineTests", at: "Tests/Engine/Pipeline", "TestSupport", "UsherAvailability", "UsherPostgreSQL"),
        test("ProviderTests", at: "Tests/Providers", "BusySourceConformance", "Calendars", "TestSupport", "ProviderConformance"),
        test(
            "SystemTests", at: "Tests/System", "Simulation", "TestPostgreSQL", "TestSupport", "TestValues", "Usher", "UsherAssembly",
            excluding: ["Scripts"]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
}
