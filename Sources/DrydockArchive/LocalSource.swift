// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
package import SystemPackage

/// A directory of this machine as a source.
package enum LocalSource {
    /// What is not part of a source: the history, and Drydock's own.
    package static let ignored = [".git", ".drydock"]

    /// What says how a source is built, by its right name and those that it is refused under.
    package static let required = ["drydock.yaml", "drydock.yml", ".drydock.yaml", ".drydock.yml"]

    /// Copies the tree at `path` into `directory`, an empty one, without what is named as in `ignoring`.
    ///
    /// Symbolic links that lead out, devices, fifos and sockets are left out, and named in the summary: people have them
    /// lying around. Throws `sourceInvalid` or `sourceTooLarge`, with the path in question.
    package static func copy(
        _ path: FilePath,
        into directory: DirectoryHandle,
        limits: WalkLimits = WalkLimits(),
        ignoring: [String] = ignored,
        required: [String] = required,
        owner: FileOwner? = nil
    ) throws(Failure) -> CopySummary {
        let source = try open(path)
        let options = CopyOptions(
            limits: limits,
            ignoring: ignoring,
            unfit: .leaveOut,
            required: required,
            owner: owner
        )
        do throws(CopyError) {
            return try TreeCopier.copy(from: source, into: directory, options)
        } catch {
            throw error.sourceFailure
        }
    }

    private static func open(_ path: FilePath) throws(Failure) -> DirectoryHandle {
        do throws(Errno) {
            return try DirectoryHandle(path: path)
        } catch {
            let why: String
            switch error {
            case .noSuchFileOrDirectory: why = "there is no such directory"
            case .notDirectory: why = "it is no directory"
            case .permissionDenied: why = "permission denied"
            default: why = "\(error)"
            }
            throw Failure(
                .sourceInvalid,
                .user,
                "the source \(path) can not be read: \(why)",
                hint: "name a directory that this user may read"
            )
        }
    }
}
