// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
package import DrydockSandbox
import Glibc
import SystemPackage

/// Starts sandboxes with the way out that their policy gives them, and those that have none as they are.
package struct EgressLauncher: SandboxLauncher {
    private let base: any SandboxLauncher
    private let settings: EgressSettings
    /// nil = nothing is kept.
    private let cache: DownloadCache?

    package init(_ base: any SandboxLauncher, _ settings: EgressSettings, _ cache: DownloadCache? = nil) {
        self.base = base
        self.settings = settings
        self.cache = cache
    }

    package func launch(
        _ spec: SandboxSpec,
        streams: consuming SandboxStreams
    ) async throws(SandboxError) -> any RunningSandbox {
        if spec.policy.network.isNone { return try await base.launch(spec, streams: streams) }
        var spec = spec
        let doors = EgressDoor.all(for: spec.policy.network)
        spec.listeners = doors.map(\.listener)
        let opened = try await opened(for: spec)
        let trust = try await trustFiles(opened)
        defer { trust?.remove() }
        let roots = show(trust, in: &spec)
        // What a project sets for itself stays: it has no other way out.
        let variables = ToolVariables.all(
            for: spec.policy.network,
            settings.tools,
            roots: roots,
            javaStore: trust.map { _ in InsidePath.javaStore }
        )
        spec.environment.merge(variables) { own, _ in own }
        let door = try Self.door()
        let inside = door.inside
        streams.listeners = consume inside
        let sandbox = try await base.launch(spec, streams: streams)
        do {
            let proxy = try await EgressProxy.start(
                at: try OwnedDescriptor.receive(doors.count, from: door.outside),
                doors: doors,
                policy: spec.policy.network,
                settings: settings,
                opened: opened,
                limit: spec.limits.network
            )
            return ConnectedSandbox(sandbox, proxy)
        } catch {
            sandbox.end(.cancelled, grace: .zero)
            _ = await sandbox.report()
            throw .host(call: "serve the sandbox's network", errno: Int((error as? Errno)?.rawValue ?? 0))
        }
    }

    /// The hosts that the proxy opens for this sandbox.
    private func opened(for spec: SandboxSpec) async throws(SandboxError) -> OpenedHosts {
        let policy = spec.policy.network
        let secrets = settings.secrets.filter { $0.isFor(spec.purpose, policy) }
        let cached = cache.flatMap { cache in
            CachedHosts(settings.cached, lifetime: settings.cacheLifetime, for: policy, in: cache)
        }
        if secrets.isEmpty, cached == nil { return .none }
        let (roots, time) = (settings.trustedRoots, spec.limits.total)
        let made = await Blocking.run {
            Result {
                try roots.map { try OpenedHosts(secrets: secrets, cached: cached, for: time, roots: $0) }
            }
        }
        guard case .success(let opened?) = made else {
            throw .host(call: "make the sandbox's own authority", errno: Int(ENOENT))
        }
        return opened
    }

    /// What the sandbox is to trust: the operator's roots, and the authority that ends TLS; nil where the machine's own
    /// roots are all.
    private func trustFiles(_ opened: OpenedHosts) async throws(SandboxError) -> TrustFiles? {
        let settings = self.settings
        let made = await Blocking.run {
            Result { () throws -> TrustFiles? in
                let certificate = try opened.certificate
                let roots = certificate == nil ? settings.roots : settings.trustedRoots
                return try roots.map { try TrustFiles($0, and: certificate) }
            }
        }
        switch made {
        case .success(let files): return files
        case .failure(let error):
            throw .host(call: "write the sandbox's roots", errno: Int((error as? Errno)?.rawValue ?? 0))
        }
    }

    /// Shows `trust` inside; returns where there the roots are, nil where there are none.
    private func show(_ trust: TrustFiles?, in spec: inout SandboxSpec) -> String? {
        guard let trust else {
            guard access(ToolVariables.machineRoots, R_OK) == 0 else { return nil }
            if case .hostToolchain = spec.root { return ToolVariables.machineRoots }
            guard Self.isPlainFile(ToolVariables.machineRoots) else { return nil }
            // A root file system may have none of its own, and those of the operator are what counts.
            spec.mounts.append(
                SandboxMount(
                    source: ToolVariables.machineRoots,
                    target: InsidePath.roots,
                    access: .readOnly,
                    execution: .denied
                )
            )
            return InsidePath.roots
        }
        var places = [(trust.roots, InsidePath.roots), (trust.javaStore, InsidePath.javaStore)]
        // For tools that read no variable, as wget and Java: what they look at by themselves.
        if case .hostToolchain = spec.root {
            places += [
                (trust.roots, ToolVariables.machineRoots), (trust.javaStore, ToolVariables.machineJavaStore),
            ].filter { Self.isPlainFile($0.1) }
        }
        spec.mounts += places.map {
            SandboxMount(source: $0.0, target: $0.1, access: .readOnly, execution: .denied)
        }
        return InsidePath.roots
    }

    private static func isPlainFile(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// The socket that the listener comes out of, and the end that goes inside.
    private struct Door: ~Copyable {
        let outside: OwnedDescriptor
        let inside: OwnedDescriptor
    }

    private static func door() throws(SandboxError) -> Door {
        do throws(Errno) {
            return try PacketPair().split { Door(outside: $0, inside: $1) }
        } catch {
            throw .host(call: "socketpair", errno: Int(error.rawValue))
        }
    }
}
