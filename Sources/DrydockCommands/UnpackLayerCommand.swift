// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockArchive

/// `drydock unpack-layer`: what `drydock rootfs import` runs inside a sandbox for every layer of an image.
struct UnpackLayerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpack-layer",
        abstract: "Unpacks the layer on stdin over the working directory; prints one line of JSON.",
        shouldDisplay: false
    )

    @Argument(help: "The caps: entries, bytes, bytes of one file.") var caps: [String] = []

    func run() throws {
        let status = LayerUnpackCommand.run(arguments: caps)
        if status != 0 { throw ExitCode(status) }
    }
}
