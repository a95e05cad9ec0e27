// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import Foundation
import Testing

@testable import DrydockArchive

@Suite("OCI image layouts", .timeLimit(.minutes(2)))
struct ImageLayoutTests {
    /// Makes an image of one layer in the directory; `ARCH` is this machine's.
    private static let prelude =
        layerPrelude + """
            import platform
            ARCH = {'x86_64': 'amd64', 'aarch64': 'arm64'}[platform.machine()]
            os.makedirs('blobs/sha256')
            def blob(data, **more):
                digest = hashlib.sha256(data).hexdigest()
                open('blobs/sha256/' + digest, 'wb').write(data)
                return dict(digest='sha256:' + digest, size=len(data), **more)
            def document(value, **more): return blob(json.dumps(value).encode(), **more)
            OCI = 'application/vnd.oci.image.'
            def image(arch=ARCH, type=OCI + 'layer.v1.tar', diff=None, env=[], config={}):
                layer('l', ('f', 'file', arch.encode()))
                data = open('l', 'rb').read()
                c = dict(architecture=arch, os='linux', config=dict(Env=env),
                         rootfs=dict(type='layers', diff_ids=[diff or 'sha256:' + hashlib.sha256(data).hexdigest()]))
                c.update(config)
                return document(dict(schemaVersion=2, config=document(c), layers=[blob(data, mediaType=type)]),
                                mediaType=OCI + 'manifest.v1+json', platform=dict(os='linux', architecture=arch))
            def tagged(d, tag): return dict(d, annotations={'org.opencontainers.image.ref.name': tag})
            def index(*manifests):
                open('oci-layout', 'w').write('{"imageLayoutVersion": "1.0.0"}')
                json.dump(dict(schemaVersion=2, manifests=list(manifests)), open('index.json', 'w'))

            """

    private func layout(_ scratch: ScratchDirectory, _ script: String) throws -> ImageLayout {
        try scratch.python(Self.prelude + script)
        return try #require(try ImageLayout(scratch.open()))
    }

    @Test("of several machines' images this one's is taken, with its variables")
    func platform() throws {
        let scratch = try ScratchDirectory()
        let layout = try layout(
            scratch,
            """
            inner = document(dict(schemaVersion=2, manifests=[image('s390x'),
                image(env=['PATH=/opt/bin:/bin', 'A=b=c', 'LD_PRELOAD=x', 'HOME=/root', 'http_proxy=x', 'bad'])]),
                mediaType=OCI + 'index.v1+json')
            index(inner)
            """
        )
        let plan = try layout.plan()
        #expect(plan.layers.count == 1)
        #expect(plan.environment == ["PATH": "/opt/bin:/bin", "A": "b=c"])
        let file = try layout.open(plan.layers[0])
        #expect(try file.withDescriptor { try fileStatus(of: $0).size } == plan.layers[0].size.bytes)
    }

    @Test("of several images the one that is named is taken")
    func tags() throws {
        let scratch = try ScratchDirectory()
        let layout = try layout(
            scratch,
            "index(tagged(image(env=['N=1']), 'one'), tagged(image(env=['N=2']), 'two'))"
        )
        #expect(try layout.plan(tag: "two").environment == ["N": "2"])
        let failure = #expect(throws: Failure.self) { try layout.plan() }
        #expect(failure?.hint == "name one with --tag: one, two")
        #expect(throws: Failure.self) { try layout.plan(tag: "three") }
    }

    @Test("an ordinary directory is no layout, what docker save wrote is told")
    func others() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("etc/passwd", "")
        #expect(try ImageLayout(scratch.open()) == nil)
        let saved = try ScratchDirectory()
        try saved.write("manifest.json", "[]")
        let failure = #expect(throws: Failure.self) { try ImageLayout(saved.open()) }
        #expect(failure?.hint?.contains("skopeo") == true)
    }

    struct Bad: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var script: String
        var tells: String
    }

    @Test(
        "what is wrong with an image is told",
        arguments: [
            Bad(
                testDescription: "another machine",
                script: "index(image('s390x'))",
                tells: "only for linux/s390x"
            ),
            Bad(
                testDescription: "zstd",
                script: "index(image(type=OCI + 'layer.v1.tar+zstd'))",
                tells: "zstd"
            ),
            Bad(
                testDescription: "a type nobody knows",
                script: "index(image(type='a/b'))",
                tells: "of the type 'a/b'"
            ),
            Bad(
                testDescription: "a digest that is a path",
                script: "index(dict(image(), digest='sha256:../../../../etc/passwd'))",
                tells: "no digest"
            ),
            Bad(
                testDescription: "a wrong digest",
                script: "m = image(); open('blobs/sha256/' + m['digest'][7:], 'r+b').write(b'['); index(m)",
                tells: "is damaged"
            ),
            Bad(
                testDescription: "a missing blob",
                script: "m = image(); os.remove('blobs/sha256/' + m['digest'][7:]); index(m)",
                tells: "is missing"
            ),
            Bad(
                testDescription: "a linked blob",
                script: """
                    m = image(); p = 'blobs/sha256/' + m['digest'][7:]; os.rename(p, 'x')
                    os.symlink('../../x', p); index(m)
                    """,
                tells: "is a symbolic link"
            ),
            Bad(
                testDescription: "other layers than it says",
                script: "index(image(config=dict(rootfs=dict(diff_ids=[]))))",
                tells: "1 layers, its configuration 0"
            ),
            Bad(
                testDescription: "a huge index",
                script: "index(image()); open('index.json', 'a').write(' ' * (5 << 20))",
                tells: "more than"
            ),
            Bad(
                testDescription: "an index that is no JSON",
                script: "index(); open('index.json', 'w').write('{')",
                tells: "not JSON"
            ),
            Bad(
                testDescription: "indexes in indexes",
                script: """
                    m = image()
                    for _ in range(9):
                        m = document(dict(schemaVersion=2, manifests=[m]), mediaType=OCI + 'index.v1+json')
                    index(m)
                    """,
                tells: "too deep"
            ),
            Bad(testDescription: "no image", script: "index()", tells: "no image for"),
        ]
    )
    func bad(_ bad: Bad) throws {
        let scratch = try ScratchDirectory()
        let layout = try layout(scratch, bad.script)
        let failure = #expect(throws: Failure.self) { try layout.plan() }
        #expect(failure?.message.contains(bad.tells) == true, "\(String(describing: failure))")
    }
}
