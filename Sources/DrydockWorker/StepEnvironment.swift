// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockSandbox
package import DrydockStore

/// The environment of a step: exactly what `docs/plugin-protocol.md` lists, nothing of the host's.
package struct StepEnvironment: Sendable {
    let build: BuildID
    /// `PATH` inside the sandbox.
    var path: String
    /// Where in the source the project is.
    let directory: RelativePath
    /// What the image of its root file system sets, of which all else counts more.
    var image: [String: String] = [:]

    func variables(step: PlannedStep) -> [String: String] {
        var variables = Self.standard(path: path, directory)
        variables["DRYDOCK_BUILD_ID"] = build.rawValue
        variables["DRYDOCK_STEP"] = step.id.rawValue
        variables.merge(step.env) { ours, _ in ours }
        variables.merge(image) { ours, _ in ours }
        return variables
    }

    /// What is the same for every command that runs in a sandbox.
    package static func standard(path: String, _ directory: RelativePath = .top) -> [String: String] {
        [
            "DRYDOCK": "1",
            "DRYDOCK_SOURCE": InsidePath.project(directory),
            "DRYDOCK_OUT": InsidePath.out,
            "DRYDOCK_CACHE": InsidePath.cache,
            "CI": "true",
            "HOME": InsidePath.home,
            "PATH": path,
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            // A fixed moment: two builds of one source make the same bytes.
            "SOURCE_DATE_EPOCH": "1577836800",
            "COLUMNS": "200",
        ]
    }

    /// The `PATH` of steps in an imported root file system: its image's, or the standard directories.
    package static func path(of root: HeldRoot) -> String {
        root.environment["PATH"] ?? path(host: "", toolchain: [])
    }

    /// The `PATH` of steps: the standard directories, and those of the host's `PATH` that the toolchain shows inside.
    package static func path(host: String, toolchain: [String]) -> String {
        let standard = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        let roots = ["/usr", "/opt"] + toolchain
        let visible = host.split(separator: ":").map(String.init).filter { directory in
            !standard.contains(directory) && roots.contains { directory.hasPrefix($0 + "/") }
        }
        var seen: Set<String> = []
        return (standard + visible).filter { seen.insert($0).inserted }.joined(separator: ":")
    }
}
