// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockSandbox
internal import DrydockStore
internal import DrydockWorker
internal import SystemPackage

/// The command `drydock rootfs import`.
struct RootfsImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Makes a root file system of a directory or an OCI image layout, under a name.",
        discussion: """
            PATH is the top directory of a tree, as `debootstrap` makes it, or an OCI image layout, as `skopeo copy \
            docker://debian:12 oci:image` or `docker buildx build --output type=oci,tar=false,dest=image` writes it. The image \
            for this machine is taken, its digests are checked, and its layers are unpacked in a sandbox. Whoever may build \
            can read all of what is imported. A name that is there already stands for the new one then; builds that run keep \
            what they have.

            EXAMPLES
              drydock rootfs import debian12 ./image
              drydock rootfs import alpine ./images --tag alpine
              debootstrap --variant=minbase bookworm ./tree && drydock rootfs import bookworm ./tree
            """
    )

    @OptionGroup var place: PlaceOptions
    @Option(help: ArgumentHelp("Which image of a layout that holds several.", valueName: "tag")) var tag:
        String?
    @Flag(help: "What was imported as one JSON object.") var json = false
    @Argument(help: "What projects will call it: small letters, digits and -.") var name: String
    @Argument(help: "A directory, or an OCI image layout.") var path: String

    func run() async throws {
        let root = try RootfsCommand.name(name, for: "import")
        let full = path.absolutePath
        let result: RootImport.Result
        do {
            // Looked at before anything is made: what is wrong with it is told at once.
            let source = try RootImport.Source.read(FilePath(full), tag: tag)
            let store = try place.openStore()
            let importing = try setting(store)
            result = try await importing.run(source, as: root, from: full) { progress in
                Console.error("drydock: \(progress)")
            }
        } catch let failure as Failure {
            throw CommandProblem("rootfs import \(path)", failure)
        } catch is RootFileSystems.Busy {
            throw RootfsCommand.busy("import")
        }
        if result.skipped > 0 {
            let examples = result.examples.joined(separator: ", ")
            Console.error(
                TerminalText.plain(
                    "drydock: \(result.skipped) devices, fifos or sockets were left out: \(examples)"
                )
            )
        }
        if json { return try Console.json(result.entry) }
        let entry = result.entry
        Console.out("imported \(entry.name): \(entry.digest), \(entry.files) files, \(entry.size)")
    }

    private func setting(_ store: EmbeddedStore) throws -> RootImport {
        let configuration = try place.configuration()
        let installation = try Installation()
        return RootImport(
            RootFileSystems(in: store.directory.roots),
            launcher: try installation.launcher(),
            tool: ConfinedTool.Setting(
                program: installation.program,
                libraries: Installation.libraries(),
                path: Installation.pathInside(toolchain: [])
            ),
            policy: Policy(minimumLevel: configuration.policy.minimumLevel),
            owner: Installation.workspaceOwner
        )
    }
}
