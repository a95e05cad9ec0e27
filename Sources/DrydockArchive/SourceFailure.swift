// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import SystemPackage

extension WalkError {
    /// What it means when the tree is a source.
    var sourceFailure: Failure {
        switch self {
        case .tooManyEntries(let limit):
            tooLarge("the source has more than \(limit) files and directories")
        case .tooManyBytes(let limit): tooLarge("the source has more than \(limit)")
        case .fileTooLarge(let path, let size, let limit):
            tooLarge("the source's file '\(path)' has \(size.bytes) bytes; at most \(limit) are taken")
        case .tooDeep(let path, let limit):
            tooLarge("the source is more than \(limit) directories deep at '\(path)'")
        case .tookTooLong(let limit): tooLarge("reading the source took more than \(limit)")
        case .failed(let path, .improperLink):
            Failure(
                .sourceInvalid,
                .user,
                "'\(path)' of the source is a mount point of another file system",
                hint: "copy what it holds into the source"
            )
        case .failed(let path, .permissionDenied):
            Failure(
                .sourceInvalid,
                .user,
                "'\(path)' of the source can not be read: permission denied",
                hint: "make it readable, or move it out of the source"
            )
        case .failed(let path, let errno):
            Failure(.sourceInvalid, .user, "'\(path)' of the source can not be read: \(errno)")
        }
    }

    private func tooLarge(_ message: String) -> Failure {
        Failure(
            .sourceTooLarge,
            .user,
            message,
            hint: "leave out what the build does not need; the operator sets these caps"
        )
    }
}

extension CopyError {
    /// What it means when the tree is a source.
    var sourceFailure: Failure {
        switch self {
        case .walk(let error): return error.sourceFailure
        case .linkLeadsOut(let path, let target):
            return Failure(
                .sourceInvalid,
                .user,
                "'\(path)' of the source is a symbolic link that leads out of it, to '\(target)'"
            )
        case .special(let path, let kind):
            return Failure(.sourceInvalid, .user, "'\(path)' of the source is a \(kind.rawValue)")
        case .writeFailed(_, .noSpace), .writeFailed(_, .diskQuotaExceeded):
            return Failure(
                .diskFull,
                .platform,
                "no space left while copying the source",
                hint: "free space in the data directory"
            )
        case .tooLarge(let limit), .noRoom(let limit):
            return Failure(.sourceTooLarge, .user, "the source takes more than \(limit)")
        case .stopped: return Failure(.cancelled, .user, "cancelled while the source was copied")
        case .writeFailed(let path, let errno):
            return Failure(.internal, .platform, "copying '\(path)' of the source failed: \(errno)")
        }
    }
}
