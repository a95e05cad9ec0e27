// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockSandbox
import SystemPackage

/// The parameters of a guest: as variables, and those that are too long for one as files.
struct ParameterFiles {
    /// Where they are inside.
    static let inside = "/plugin-with"

    private(set) var variables: [String: String] = [:]
    private(set) var mounts: [SandboxMount] = []

    /// Writes what does not fit into a variable below `folder`, a directory of the host that no sandbox can write to;
    /// nil = there is none, and such a parameter throws.
    init(_ step: PlannedStep, folder: String?) throws(Failure) {
        let all = StepParameters.environment(step.with).sorted { $0.key < $1.key }
        for (number, (name, value)) in all.enumerated() {
            guard value.utf8.count > StepParameters.longestVariable else {
                variables[name] = value
                continue
            }
            // Numbers: a parameter's name may be longer than a file's.
            let file = "with-\(step.id)-\(number)"
            try write(value, to: file, in: folder, name)
            let target = "\(Self.inside)/\(number)"
            variables[name + "_FILE"] = target
            mounts.append(SandboxMount(source: "\(folder ?? "")/\(file)", target: target, access: .readOnly))
        }
    }

    private func write(_ value: String, to file: String, in folder: String?, _ name: String) throws(Failure) {
        guard let folder else {
            throw Failure(
                .configInvalid,
                .user,
                "a parameter has \(value.utf8.count) bytes, and a program takes at most 128 KiB (\(name))",
                hint: "put it into a file of the project"
            )
        }
        do throws(Errno) {
            let directory = try DirectoryHandle(path: FilePath(folder))
            let path = TreePath.root.appending(file.utf8)
            let handle = try directory.openFile(path, .create(permissions: 0o644))
            try handle.withDescriptor { descriptor throws(Errno) in
                try FileContents.write(Array(value.utf8)[...], to: descriptor)
                // Whatever the umask is: the sandbox's user is another one.
                try FileContents.setPermissions(descriptor, 0o644)
            }
        } catch {
            throw Failure(
                .internal,
                .platform,
                "a parameter could not be written to \(folder)/\(file): \(error)"
            )
        }
    }
}
