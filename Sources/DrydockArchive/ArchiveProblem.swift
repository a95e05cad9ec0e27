// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import SystemPackage

/// Why an archive was not unpacked.
enum ArchiveProblem: Error, Hashable {
    /// It has no bytes at all.
    case empty
    /// Its first bytes are no archive's.
    case notAnArchive
    /// An archive, but of a kind that is not read here.
    case unsupported(String)
    /// It ends in the middle of something.
    case truncated(entry: String?)
    /// It contradicts itself.
    case corrupt(String, entry: String?)
    /// An entry that would end up somewhere else, or be something else than a file, directory or link.
    case unsafe(entry: String, String)
    /// An entry that is not read here: encrypted, sparse, an odd compression.
    case unreadable(entry: String, String)
    /// More than the caps allow.
    case tooLarge(String, entry: String?)
    /// Writing failed.
    case write(entry: String, Errno)
    /// Reading the archive itself failed.
    case read(Errno)

    /// The same for people: what, why, what to do.
    var failure: Failure {
        switch self {
        case .empty:
            invalid("the source is empty: 0 bytes were sent", hint: "send a tar, tar.gz or zip archive")
        case .notAnArchive:
            invalid(
                "the source is no archive: its first bytes are neither tar nor gzip nor zip",
                hint: "send a tar, tar.gz or zip archive"
            )
        case .unsupported(let kind):
            invalid("the source is \(kind), which is not read here", hint: "pack it as tar.gz or zip")
        case .truncated(let entry):
            invalid(
                "the archive ends too early" + ArchiveProblem.place(entry, " in the middle of "),
                hint: "send it again; the upload may have been cut off"
            )
        case .corrupt(let what, let entry):
            invalid("the archive is damaged: \(what)" + ArchiveProblem.place(entry, " at "))
        case .unsafe(let entry, let why):
            invalid("the archive's entry \(entry) \(why)", hint: "remove that entry from the archive")
        case .unreadable(let entry, let why):
            invalid("the archive's entry \(entry) \(why)", hint: "pack it again without that")
        case .tooLarge(let what, let entry):
            Failure(
                .sourceTooLarge,
                .user,
                "the archive is too large: \(what)" + ArchiveProblem.place(entry, " at "),
                hint: "leave out what the build does not need; the operator sets these caps"
            )
        case .write(let entry, let errno): ArchiveProblem.writing(entry, errno)
        case .read(let errno):
            Failure(.internal, .platform, "the archive could not be read: \(errno)")
        }
    }

    private func invalid(_ message: String, hint: String? = nil) -> Failure {
        Failure(.sourceInvalid, .user, message, hint: hint)
    }

    private static func place(_ entry: String?, _ preposition: String) -> String {
        guard let entry else { return "" }
        return preposition + entry
    }

    private static func writing(_ entry: String, _ errno: Errno) -> Failure {
        switch errno {
        case .noSpace, .diskQuotaExceeded:
            Failure(
                .diskFull,
                .platform,
                "no space left while unpacking \(entry)",
                hint: "free space in the data directory"
            )
        case .fileTooLarge:
            Failure(.sourceTooLarge, .user, "the archive's entry \(entry) is larger than a file may be here")
        default:
            Failure(.internal, .platform, "unpacking \(entry) failed: \(errno)")
        }
    }
}
