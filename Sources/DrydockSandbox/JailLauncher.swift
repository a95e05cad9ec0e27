// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import CSandboxWire
internal import DrydockModel
internal import DrydockOS
package import SystemPackage

/// Starts each sandbox by a `drydock-jail` of its own.
package struct JailLauncher: SandboxLauncher {
    private let jail: FilePath
    private let options: SpecOptions

    /// A launcher that uses the jail at `jail`.
    package init(jail: FilePath, options: SpecOptions = SpecOptions()) {
        self.jail = jail
        self.options = options
    }

    /// A launcher that uses the jail where `JailLocation` finds it.
    package init(options: SpecOptions = SpecOptions()) throws(SandboxError) {
        self.init(jail: try JailLocation.find(), options: options)
    }

    /// Removes the control groups of jails that were killed; for the start of a worker, blocks some milliseconds.
    package func reapLeftovers() throws(SandboxError) {
        do {
            let child = try ChildProcess.spawn(
                jail,
                arguments: ["drydock-jail", "--reap"],
                environment: [],
                inherited: []
            )
            _ = try child.waitBlocking()
        } catch {
            throw .host(call: "spawn \(jail)", errno: Int(error.rawValue))
        }
    }

    package func launch(
        _ spec: SandboxSpec,
        streams: consuming SandboxStreams
    ) async throws(SandboxError) -> any RunningSandbox {
        try await start(spec, streams: streams)
    }

    /// `launch`, with the type that tells what the machine could do.
    package func start(
        _ spec: SandboxSpec,
        streams: consuming SandboxStreams
    ) async throws(SandboxError) -> JailedProcess {
        let bytes = try spec.encoded(options)
        let process = try spawn(bytes, streams: streams)
        try await process.started(program: spec.argv.first ?? "")
        return process
    }

    private func spawn(
        _ bytes: [UInt8],
        streams: consuming SandboxStreams
    ) throws(SandboxError) -> JailedProcess {
        do {
            let file = try OwnedDescriptor.sealedFile(named: "drydock-spec", bytes: bytes)
            let pair = try PacketPair()
            let child = try ChildProcess.spawn(
                jail,
                arguments: ["drydock-jail", "--driven"],
                environment: [],
                inherited: streams.inheritances + [
                    .init(file, as: SBX_SPEC_DESCRIPTOR),
                    .init(pair.second, as: SBX_CONTROL_DESCRIPTOR),
                ]
            )
            // The jail has them now; ours must go, or the pipes would never end.
            file.close()
            let onViolation = streams.onViolation
            _ = consume streams
            return try JailedProcess.watch(
                child,
                socket: JailSocket(pair.keepingFirst()),
                onViolation: onViolation
            )
        } catch {
            throw .host(call: "spawn \(jail)", errno: Int(error.rawValue))
        }
    }
}

extension SandboxStreams {
    /// What of it the jail gets, and as which descriptors.
    fileprivate var inheritances: [ChildProcess.Inheritance] {
        var list: [ChildProcess.Inheritance] = [
            .init(stdin, as: 0), .init(stdout, as: 1), .init(stderr, as: 2),
        ]
        switch listeners {
        case .some(let listeners): list.append(.init(listeners, as: SBX_LISTENER_DESCRIPTOR))
        case .none: break
        }
        return list
    }
}
