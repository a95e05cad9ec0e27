// swift-tools-version: 5.9
import PackageDescription

let package = Package(
    name: "tides",
    targets: [
        .target(name: "Tides"),
        .executableTarget(name: "tides-cli", dependencies: ["Tides"]),
    ]
)
