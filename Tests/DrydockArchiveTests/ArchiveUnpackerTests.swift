// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import Foundation
import SystemPackage
import Testing

@testable import DrydockArchive

/// Unpacks `name` of the scratch directory into its directory `out`.
func unpack(
    _ name: String,
    in scratch: ScratchDirectory,
    caps: ArchiveCaps = ArchiveCaps()
) throws -> UnpackSummary {
    let file = try FileDescriptor.open("\(scratch.path)/\(name)", .readOnly)
    defer { try? file.close() }
    return try ArchiveUnpacker.unpack(archive: file, into: scratch.open("out"), caps: caps)
}

/// What Python needs to write hostile archives.
private let prelude = """
    import io, os, stat, struct, tarfile, zipfile, gzip, zlib
    def tar(*entries, name='a', mode='w', format=tarfile.PAX_FORMAT):
        with tarfile.open(name, mode, format=format) as t:
            for e in entries:
                info = tarfile.TarInfo(e[0]); kind = e[1]
                if kind == 'file':
                    data = e[2] if len(e) > 2 else b'x'
                    info.size = len(data); t.addfile(info, io.BytesIO(data))
                else:
                    info.type = kind
                    if len(e) > 2: info.linkname = e[2]
                    t.addfile(info)
    def zipped(*entries, name='a', method=zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(name, 'w', method) as z:
            for n, data, attr in entries:
                info = zipfile.ZipInfo(n); info.external_attr = attr << 16; info.create_system = 3
                info.compress_type = method
                z.writestr(info, data)
    def patch(offset, data, name='a'):
        with open(name, 'r+b') as f: f.seek(offset, 2 if offset < 0 else 0); f.write(data)

    """

/// An archive that must be refused.
struct Hostile: CustomTestStringConvertible, Sendable {
    var what: String
    /// Makes the file `a`.
    var script: String
    /// What the message names.
    var tells: String
    var code = FailureCode.sourceInvalid
    var testDescription: String { what }
}

@Suite("Hostile archives", .timeLimit(.minutes(2)))
struct HostileArchiveTests {
    static let tars: [Hostile] = [
        Hostile(what: "nothing", script: "open('a','w')", tells: "0 bytes"),
        Hostile(what: "text", script: "open('a','w').write('hello' * 500)", tells: "no archive"),
        Hostile(what: "short text", script: "open('a','w').write('hello')", tells: "no archive"),
        Hostile(
            what: "gzipped text",
            script: "gzip.open('a','w').write(b'hello' * 500)",
            tells: "no archive"
        ),
        Hostile(what: "xz", script: "tar(('a','file'), mode='w:xz')", tells: "xz"),
        Hostile(what: "no entries", script: "tar()", tells: "no entries"),
        Hostile(what: "..", script: "tar(('ok/../../evil','file'))", tells: "'ok/../../evil'"),
        Hostile(what: "absolute", script: "tar(('/etc/cron.d/x','file'))", tells: "starts with /"),
        Hostile(what: "link out", script: "tar(('l', tarfile.SYMTYPE, '../../etc'))", tells: "leads out"),
        Hostile(what: "absolute link", script: "tar(('l', tarfile.SYMTYPE, '/etc'))", tells: "leads out"),
        Hostile(
            what: "through a link",
            script: "tar(('d/x','file'), ('l', tarfile.SYMTYPE, 'd'), ('l/evil','file'))",
            tells: "behind a symbolic link"
        ),
        Hostile(
            what: "link over link chain",
            script: "tar(('d', tarfile.SYMTYPE, '.'), ('e', tarfile.SYMTYPE, 'd/..'))",
            tells: "'e'"
        ),
        Hostile(
            what: "file over link",
            script: "tar(('l', tarfile.SYMTYPE, 'x'), ('l','file'))",
            tells: "would replace"
        ),
        Hostile(
            what: "link over file",
            script: "tar(('l','file'), ('l', tarfile.SYMTYPE, 'x'))",
            tells: "would replace"
        ),
        Hostile(what: "directory over file", script: "tar(('a','file'), ('a', b'5'))", tells: "has a file"),
        Hostile(
            what: "file over directory",
            script: "tar(('a', b'5'), ('a','file'))",
            tells: "would replace"
        ),
        Hostile(what: "below a file", script: "tar(('a','file'), ('a/b','file'))", tells: "has a file"),
        Hostile(
            what: "link out of the stripped directory",
            script: "tar(('t/f','file'), ('t/l', tarfile.SYMTYPE, '../other'))",
            tells: "'t/l'"
        ),
        Hostile(what: "device", script: "tar(('d', tarfile.CHRTYPE))", tells: "character device"),
        Hostile(what: "block device", script: "tar(('d', tarfile.BLKTYPE))", tells: "block device"),
        Hostile(what: "fifo", script: "tar(('p', tarfile.FIFOTYPE))", tells: "fifo"),
        Hostile(
            what: "hard link out",
            script: "tar(('h', tarfile.LNKTYPE, '/etc/passwd'))",
            tells: "hard link"
        ),
        Hostile(what: "hard link up", script: "tar(('h', tarfile.LNKTYPE, '../x'))", tells: "hard link"),
        Hostile(what: "hard link to later", script: "tar(('h', tarfile.LNKTYPE, 'x'))", tells: "hard link"),
        Hostile(
            what: "hard link to a link",
            script: "tar(('x','file'), ('l', tarfile.SYMTYPE, 'x'), ('h', tarfile.LNKTYPE, 'l'))",
            tells: "hard link"
        ),
        Hostile(what: "long name", script: "tar(('x' * 300,'file'))", tells: "255 bytes"),
        Hostile(
            what: "deep",
            script: "tar(('d/' * 200 + 'f','file'))",
            tells: "directories deep",
            code: .sourceTooLarge
        ),
        Hostile(what: "sparse", script: "tar(('s', b'S'))", tells: "sparse"),
        Hostile(what: "odd type", script: "tar(('s', b'Q'))", tells: "type 'Q'"),
        Hostile(
            what: "flipped header",
            script: "tar(('a','file'), ('b','file')); patch(1024 + 3, b'!')",
            tells: "checksum"
        ),
        Hostile(
            what: "pax with NUL in the path",
            script: """
                r = b'13 path=a\\0bc\\n'
                with tarfile.open('a','w') as t:
                    i = tarfile.TarInfo('p'); i.type = b'x'; i.size = len(r); t.addfile(i, io.BytesIO(r))
                    t.addfile(tarfile.TarInfo('f'))
                """,
            tells: "NUL"
        ),
        Hostile(
            what: "malformed pax",
            script: """
                r = b'999999999999999999999 path=x\\n'
                with tarfile.open('a','w') as t:
                    i = tarfile.TarInfo('p'); i.type = b'x'; i.size = len(r); t.addfile(i, io.BytesIO(r))
                """,
            tells: "extended header"
        ),
        Hostile(
            what: "a size that overflows",
            script: """
                tar(('a','file'))
                b = bytearray(open('a','rb').read()); b[124:136] = b'\\x80' + b'\\0' * 3 + b'\\x7f' + b'\\xff' * 7
                b[148:156] = b' ' * 8; b[148:156] = b'%06o\\0 ' % sum(b[:512]); open('a','wb').write(b)
                """,
            tells: "a file may have",
            code: .sourceTooLarge
        ),
        Hostile(
            what: "gzip with a wrong sum",
            script: "tar(('a','file'), mode='w:gz'); patch(-8, b'XXXX')",
            tells: "decompress"
        ),
        Hostile(
            what: "garbage after gzip",
            script: "tar(('a','file'), mode='w:gz'); open('a','ab').write(b'evil')",
            tells: "not gzip"
        ),
        Hostile(
            what: "10 GB file in gzip",
            script: """
                i = tarfile.TarInfo('bomb'); i.size = 10 << 30
                with gzip.open('a','w',9) as g: g.write(i.tobuf()); g.write(b'\\0' * (1 << 24))
                """,
            tells: "'bomb'",
            code: .sourceTooLarge
        ),
        Hostile(
            what: "gigabytes behind the end",
            script: """
                tar(('a','file'), name='t'); z = zlib.compressobj(9, 8, 31)
                with open('a','wb') as f:
                    f.write(z.compress(open('t','rb').read()))
                    for i in range(600): f.write(z.compress(b'\\0' * (1 << 20)))
                    f.write(z.flush())
                """,
            tells: "many times",
            code: .sourceTooLarge
        ),
        Hostile(
            what: "many files of zeros",
            script: """
                tar(*[(f'{i}','file', b'\\0' * (1 << 20)) for i in range(100)], mode='w:gz')
                """,
            tells: "times its own size",
            code: .sourceTooLarge
        ),
    ]

    static let zips: [Hostile] = [
        Hostile(what: "..", script: "zipped(('../evil', b'x', 0o644))", tells: "'../evil'"),
        Hostile(what: "absolute", script: "zipped(('/etc/x', b'x', 0o644))", tells: "starts with /"),
        Hostile(what: "link out", script: "zipped(('l', b'../../etc', 0o120777))", tells: "leads out"),
        Hostile(what: "fifo", script: "zipped(('p', b'', 0o010644))", tells: "fifo"),
        Hostile(
            what: "through a link",
            script: "zipped(('d/x', b'', 0o644), ('l', b'd', 0o120777), ('l/e', b'x', 0o644))",
            tells: "behind a symbolic link"
        ),
        Hostile(
            what: "bzip2 inside",
            script: "zipped(('f', b'x', 0o644), method=zipfile.ZIP_BZIP2)",
            tells: "method 12"
        ),
        Hostile(
            what: "encrypted",
            script: """
                zipped(('f', b'x', 0o644)); d = open('a','rb').read(); p = d.index(b'PK\\1\\2')
                patch(p + 8, b'\\1\\0')
                """,
            tells: "encrypted"
        ),
        Hostile(
            what: "wrong sum",
            script: """
                zipped(('f', b'hello', 0o644), method=zipfile.ZIP_STORED)
                p = open('a','rb').read().index(b'hello'); patch(p, b'jello')
                """,
            tells: "checksum"
        ),
        Hostile(
            what: "longer than stated",
            script: """
                zipped(('f', b'hello' * 100, 0o644)); d = open('a','rb').read(); p = d.index(b'PK\\1\\2')
                patch(p + 24, struct.pack('<I', 10))
                """,
            tells: "longer than it says"
        ),
        Hostile(
            what: "overlapping",
            script: """
                zipped(('aa', os.urandom(3000), 0o644), ('bb', b'x', 0o644)); d = open('a','rb').read()
                p = d.index(b'PK\\1\\2'); q = d.index(b'PK\\1\\2', p + 4)
                patch(q + 20, d[p + 20:p + 28]); patch(q + 42, d[p + 42:p + 46]); patch(q + 46, b'aa')
                """,
            tells: "overlap"
        ),
        Hostile(
            what: "local name differs",
            script: "zipped(('ok', b'x', 0o644)); patch(30, b'ko')",
            tells: "not where the directory says"
        ),
        Hostile(
            what: "bomb",
            script: """
                with zipfile.ZipFile('a','w',8) as z:
                    with z.open('bomb','w',force_zip64=True) as f:
                        for i in range(200): f.write(b'\\0' * (1 << 20))
                """,
            tells: "'bomb'",
            code: .sourceTooLarge
        ),
        Hostile(
            what: "too many entries",
            script: """
                zipped(('f', b'x', 0o644)); d = open('a','rb').read(); p = d.rindex(b'PK\\5\\6')
                z = struct.pack('<IQHHIIQQQQ', 0x06064b50, 44, 45, 45, 0, 0, 1 << 40, 1 << 40, 50, 30)
                l = struct.pack('<IIQI', 0x07064b50, 0, p, 1)
                open('a','wb').write(d[:p] + z + l + d[p:p+10] + b'\\xff\\xff' + d[p+12:])
                """,
            tells: "directory"
        ),
        Hostile(
            what: "only an end record",
            script: "open('a','wb').write(b'PK\\5\\6' + b'\\0' * 18)",
            tells: "no entries"
        ),
    ]

    @Test("a hostile archive is refused by name, and writes nothing outside", arguments: tars + zips)
    func refused(_ hostile: Hostile) throws {
        let scratch = try ScratchDirectory()
        try scratch.python(prelude + hostile.script)
        do {
            let summary = try unpack("a", in: scratch)
            Issue.record("it was unpacked: \(summary)")
        } catch let failure as Failure {
            #expect(failure.code == hostile.code)
            #expect(failure.fault == .user)
            #expect(failure.message.contains(hostile.tells), "\(failure.message)")
        }
        let outside = try scratch.open().names().map { String(decoding: $0, as: UTF8.self) }
        #expect(Set(outside).isSubset(of: ["a", "out", "t"]))
    }

    @Test("every cut of an archive is refused or unpacked, and ends", arguments: ["t", "tgz", "zip"])
    func truncated(name: String) throws {
        let scratch = try ScratchDirectory()
        try scratch.python(
            prelude + """
                e = [('d/' + 'n' * 120, 'file', b'hello' * 30), ('d/l', tarfile.SYMTYPE, 'x'), ('e', 'file')]
                tar(*e, name='t'); tar(*e, name='tgz', mode='w:gz')
                zipped(('d/f', b'hello' * 30, 0o755), ('l', b'd', 0o120777), name='zip')
                """
        )
        let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/" + name))
        let step = name == "t" ? 97 : 1
        for length in stride(from: 0, to: bytes.count, by: step) {
            try bytes.prefix(length).write(to: URL(fileURLWithPath: scratch.path + "/cut"))
            // A tar may lack a part of its padding; nothing else may be missing unnoticed.
            if name == "t", length > 4_096 { continue }
            #expect(throws: Failure.self, "\(length) of \(bytes.count) bytes") {
                try unpack("cut", in: scratch)
            }
            try TreeRemover.remove("out", in: scratch.open())
        }
    }

    @Test("flipped bytes never crash the readers", arguments: ["t", "tgz", "zip"])
    func flipped(name: String) throws {
        let scratch = try ScratchDirectory()
        try scratch.python(
            prelude + """
                e = [('d/f', 'file', b'hello' * 30), ('d/l', tarfile.SYMTYPE, 'x'), ('e', 'file')]
                tar(*e, name='t'); tar(*e, name='tgz', mode='w:gz')
                zipped(('d/f', b'hello' * 30, 0o755), ('l', b'd', 0o120777), name='zip')
                """
        )
        let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/" + name)))
        for place in stride(from: 0, to: min(original.count, 1_400), by: name == "t" ? 7 : 1) {
            var bytes = original
            bytes[place] ^= UInt8(truncatingIfNeeded: 1 << (place % 8)) | 0x80
            try Data(bytes).write(to: URL(fileURLWithPath: scratch.path + "/cut"))
            do { _ = try unpack("cut", in: scratch) } catch is Failure {}
            try TreeRemover.remove("out", in: scratch.open())
        }
        #expect(try scratch.open().names().count == 4)
    }
}
