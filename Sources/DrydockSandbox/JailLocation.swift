// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc
package import SystemPackage

/// Where `drydock-jail` is.
package enum JailLocation {
    /// Finds it: `$DRYDOCK_JAIL`, beside this executable, in `../libexec/drydock`, or, in a checkout, in the `.build`
    /// directory above the executable.
    package static func find() throws(SandboxError) -> FilePath {
        if let named = getenv("DRYDOCK_JAIL") {
            // Named and missing is an error: another one would not be what was asked for.
            let path = String(cString: named)
            guard path.hasPrefix("/"), HostFile.isExecutable(path) else { throw .jailNotFound([path]) }
            return FilePath(path)
        }
        let places = candidates()
        guard let found = places.first(where: HostFile.isExecutable) else { throw .jailNotFound(places) }
        return FilePath(found)
    }

    /// Finds `drydock-probe`, which lies beside it: what attacks a sandbox belongs to what puts it up.
    package static func findProbe() throws(SandboxError) -> FilePath {
        let probe = try find().removingLastComponent().appending("drydock-probe")
        guard HostFile.isExecutable(probe.string) else { throw .jailNotFound([probe.string]) }
        return probe
    }

    private static func candidates() -> [String] {
        guard let executable = HostFile.linkTarget(of: "/proc/self/exe") else { return [] }
        var directory = FilePath(executable).removingLastComponent()
        var places = ["\(directory)/drydock-jail"]
        places.append("\(directory.removingLastComponent())/libexec/drydock/drydock-jail")
        while let last = directory.lastComponent {
            if last.string == ".build" { places.append("\(directory)/drydock-jail") }
            directory.removeLastComponent()
        }
        return places
    }
}
