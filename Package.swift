// swift-tools-version: 6.2
import PackageDescription

// Targets stand in the order of their levels (docs/ARCHITECTURE.md): an arrow only points down.
// `make deps-check` reads the imports and this file, and fails on an undeclared or an upward one.

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let strictC: [CSetting] = [
    .define("_GNU_SOURCE"),
    .unsafeFlags(["-std=c17", "-Wall", "-Wextra", "-Werror"]),
]

/// `make fuzz` builds with coverage that libFuzzer follows, and with internals in reach of the fuzz targets.
let isFuzzing = Context.environment["DRYDOCK_FUZZ"] == "1"
/// `make bench-lines` measures internals, too.
let isMeasuring = Context.environment["DRYDOCK_BENCH"] == "1"
let coverage: [SwiftSetting] =
    isFuzzing
    ? [.unsafeFlags(["-sanitize=fuzzer", "-enable-testing"])]
    : isMeasuring ? [.unsafeFlags(["-enable-testing"])] : []

/// A Swift target of ours under the strict settings.
func swiftTarget(
    _ name: String,
    _ dependencies: [Target.Dependency],
    _ resources: [Resource]? = nil
) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict + coverage)
}

/// The test target of `name`.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.target(name: name)] + dependencies,
        swiftSettings: strict
    )
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

let package = Package(
    name: "drydock",
    products: [.executable(name: "drydock", targets: ["drydock"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Level 0: values, and thin C.
        swiftTarget("DrydockModel", []),
        // What the jail reads and writes: all that Swift knows of it.
        .target(name: "CSandboxWire", cSettings: strictC),
        // The jail itself is built by jail.mk from the same files, and so are its fuzz targets; here every build compiles them.
        .target(
            name: "CSandbox",
            dependencies: ["CSandboxWire"],
            cSettings: strictC,
            linkerSettings: [.linkedLibrary("seccomp")]
        ),
        .target(name: "COS", cSettings: strictC),
        .target(name: "CCrypto", cSettings: strictC, linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CZlib", cSettings: strictC, linkerSettings: [.linkedLibrary("z")]),

        // Level 1: codecs, files that people write, the operating system.
        swiftTarget("DrydockProtocol", ["DrydockModel"]),
        swiftTarget("DrydockConfig", ["DrydockModel", .product(name: "Yams", package: "Yams")]),
        swiftTarget("DrydockOS", ["DrydockModel", "COS", "CCrypto", "CZlib", systemPackage, deque]),
        swiftTarget("DrydockObservers", ["DrydockModel"]),

        // Level 2
        swiftTarget("DrydockArchive", ["DrydockModel", "DrydockProtocol", "DrydockOS", systemPackage]),
        swiftTarget("DrydockSandbox", ["DrydockModel", "DrydockOS", "CSandboxWire", systemPackage]),
        swiftTarget(
            "DrydockStore",
            [
                "DrydockModel", "DrydockProtocol", "DrydockOS", systemPackage,
                .product(name: "GRDB", package: "GRDB.swift"),
            ]
        ),

        // Level 3
        swiftTarget(
            "DrydockEgress",
            [
                "DrydockModel", "DrydockOS", "DrydockSandbox", systemPackage,
                .product(name: "NIOExtras", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "Crypto", package: "swift-crypto"),
            ] + nio
        ),
        swiftTarget(
            "DrydockPlugins",
            [
                "DrydockModel", "DrydockProtocol", "DrydockObservers", "DrydockOS", "DrydockSandbox",
                systemPackage,
                deque,
            ]
        ),

        // Level 4
        swiftTarget(
            "DrydockWorker",
            [
                "DrydockModel", "DrydockProtocol", "DrydockConfig", "DrydockObservers", "DrydockOS",
                "DrydockArchive",
                "DrydockSandbox", "DrydockStore", "DrydockPlugins", logging, lifecycle, systemPackage, deque,
            ]
        ),
        swiftTarget("DrydockPreview", ["DrydockModel", "DrydockOS", "DrydockStore", systemPackage]),

        // Level 5
        swiftTarget(
            "DrydockServer",
            [
                "DrydockModel", "DrydockProtocol", "DrydockConfig", "DrydockOS", "DrydockStore",
                "DrydockPlugins", "DrydockPreview", logging, metrics, lifecycle, systemPackage, deque,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ] + nio,
            ["page.html", "page.css", "page.js", "icon.svg"].map { .embedInCode("Page/" + $0) }
        ),

        // Level 6
        swiftTarget(
            "DrydockCommands",
            [
                "DrydockModel", "DrydockProtocol", "DrydockConfig", "DrydockObservers", "DrydockOS",
                "DrydockArchive",
                "DrydockSandbox", "DrydockStore", "DrydockEgress", "DrydockPlugins", "DrydockWorker",
                "DrydockPreview", "DrydockServer", arguments, logging, lifecycle, systemPackage,
            ]
        ),

        // Level 7: the composition root.
        .executableTarget(name: "drydock", dependencies: ["DrydockCommands"], swiftSettings: strict),

        // What tests of several targets lean on: scripted launcher, clock and store, and the player of scenarios.
        .target(
            name: "DrydockTestSupport",
            dependencies: [
                "DrydockModel", "DrydockOS", "DrydockArchive", "DrydockSandbox", "DrydockStore",
                "DrydockPlugins", "DrydockWorker", logging, lifecycle, systemPackage,
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "Yams", package: "Yams"),
            ],
            path: "Tests/DrydockTestSupport",
            swiftSettings: strict
        ),

        tests("DrydockModel"),
        tests("DrydockProtocol", ["DrydockModel", "DrydockTestSupport"]),
        tests("DrydockConfig", ["DrydockModel"]),
        tests("DrydockOS", ["DrydockModel", "DrydockTestSupport", systemPackage]),
        tests("DrydockObservers", ["DrydockModel", "DrydockProtocol"]),
        tests("DrydockArchive", ["DrydockModel", "DrydockOS", "DrydockTestSupport", systemPackage]),
        tests("DrydockSandbox", ["DrydockModel", "DrydockOS", systemPackage]),
        tests(
            "DrydockEgress",
            [
                "DrydockModel", "DrydockOS", "DrydockSandbox", "DrydockTestSupport", systemPackage,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio
        ),
        tests(
            "DrydockStore",
            [
                "DrydockModel", "DrydockProtocol", "DrydockOS", "DrydockTestSupport", systemPackage,
                .product(name: "GRDB", package: "GRDB.swift"),
            ]
        ),
        tests(
            "DrydockPlugins",
            [
                "DrydockModel", "DrydockProtocol", "DrydockObservers", "DrydockOS", "DrydockSandbox",
                "DrydockTestSupport", systemPackage,
            ]
        ),
        tests(
            "DrydockWorker",
            [
                "DrydockModel", "DrydockConfig", "DrydockOS", "DrydockStore", "DrydockPlugins",
                "DrydockSandbox", "DrydockTestSupport", systemPackage, logging,
            ]
        ),
        tests("DrydockPreview", ["DrydockModel", "DrydockStore", systemPackage]),
        tests(
            "DrydockServer",
            [
                "DrydockModel", "DrydockProtocol", "DrydockOS", "DrydockStore", "DrydockTestSupport",
                systemPackage, logging, metrics, lifecycle, .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ] + nio
        ),
        tests(
            "DrydockCommands",
            ["DrydockModel", "DrydockConfig", "DrydockOS", "DrydockServer", logging, systemPackage]
        ),
        // Runs the built `drydock` as a user does; real projects, bad input, restarts.
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["drydock", "DrydockModel", "DrydockProtocol", "DrydockOS", systemPackage],
            swiftSettings: strict
        ),
    ]
)

/// A program of fuzz targets.
func fuzzTarget(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["FuzzDriver"] + dependencies,
        path: "Tests/Fuzz/" + name,
        swiftSettings: strict,
        // libFuzzer is C++; gold, the default, warns of every symbol of AddressSanitizer.
        linkerSettings: [.linkedLibrary("stdc++"), .unsafeFlags(["-use-ld=lld"])]
    )
}

if isFuzzing {
    package.targets += [
        .target(name: "FuzzDriver", path: "Tests/Fuzz/FuzzDriver", swiftSettings: strict),
        fuzzTarget(
            "drydock-fuzz",
            [
                "DrydockModel", "DrydockProtocol", "DrydockConfig", "DrydockObservers", "DrydockArchive",
                systemPackage,
            ]
        ),
        fuzzTarget(
            "drydock-fuzz-server",
            ["DrydockServer", .product(name: "NIOCore", package: "swift-nio")]
        ),
    ]
}

if isMeasuring {
    package.targets += [
        .executableTarget(
            name: "drydock-lines",
            dependencies: [
                "DrydockModel", "DrydockProtocol", "DrydockObservers", "DrydockOS", "DrydockPlugins",
            ],
            path: "Tests/Benchmarks/drydock-lines",
            swiftSettings: strict
        ),
        // What the Autobahn|Testsuite talks to.
        .executableTarget(
            name: "drydock-echo",
            dependencies: [
                "DrydockModel", "DrydockOS", "DrydockStore", "DrydockServer", logging, systemPackage,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
            ] + nio,
            path: "Tests/Autobahn/drydock-echo",
            swiftSettings: strict
        ),
    ]
}
