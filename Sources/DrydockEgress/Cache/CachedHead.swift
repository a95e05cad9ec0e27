// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOHTTP1

/// What stands before a kept answer's body, in its file: of which request it is, how long it holds, status and fields.
///
/// ```
/// drydock-download 1
/// url https://files.example.org:443/tide-1.0.tar.gz
/// accept */*
/// lifetime 31536000
/// status 200
/// ETag: "1"
///
/// ```
struct CachedHead: Equatable, Sendable {
    /// Bytes; what is longer is not kept.
    static let longest = 32_768
    private static let magic = "drydock-download 1"

    var key: CacheKey
    /// Seconds; from the file's time of last change, which is when the host last said it.
    var lifetime: Int64
    var status: Int
    var fields: [(name: String, value: String)]

    /// nil where it could not be read again.
    init?(_ key: CacheKey, _ freshness: Freshness, _ head: HTTPResponseHead) {
        self.key = key
        lifetime = freshness.lifetime
        status = Int(head.status.code)
        // The connection's, and what is said anew each time.
        let left: Set<String> = ["connection", "content-length", "age", "accept-ranges"]
        fields = head.headers.filter { !left.contains($0.name.lowercased()) }
        let texts = fields.flatMap { [$0.name, $0.value] } + [key.url, key.accept]
        guard texts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 } }),
            fields.allSatisfy({ !$0.name.isEmpty && !$0.name.contains(":") }), bytes.count <= Self.longest
        else { return nil }
    }

    /// As it stands in the file.
    var bytes: [UInt8] {
        var text =
            "\(Self.magic)\nurl \(key.url)\naccept \(key.accept)\nlifetime \(lifetime)\nstatus \(status)\n"
        for (name, value) in fields { text += "\(name): \(value)\n" }
        return Array((text + "\n").utf8)
    }

    /// Reads what `bytes` begin with, where it is of `key`, and how long that is; nil where it is something else.
    static func read(_ bytes: ArraySlice<UInt8>, of key: CacheKey) -> (head: CachedHead, length: Int)? {
        let prefix = "\(magic)\nurl \(key.url)\naccept \(key.accept)\nlifetime "
        guard bytes.starts(with: prefix.utf8) else { return nil }
        var lines: [Substring] = []
        var rest = bytes.dropFirst(prefix.utf8.count)
        while let end = rest.firstIndex(of: 0x0A) {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            if line.isEmpty {
                guard let head = CachedHead(key, lines) else { return nil }
                return (head, rest.startIndex - bytes.startIndex)
            }
            lines.append(String(decoding: line, as: UTF8.self)[...])
        }
        return nil
    }

    private init?(_ key: CacheKey, _ lines: [Substring]) {
        guard lines.count >= 2, let lifetime = Int64(lines[0]), lines[1].hasPrefix("status "),
            let status = Int(lines[1].dropFirst(7)), (200...599).contains(status)
        else { return nil }
        self.key = key
        self.lifetime = lifetime
        self.status = status
        fields = []
        for line in lines.dropFirst(2) {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            fields.append((String(line[..<colon]), String(line[colon...].dropFirst(2))))
        }
    }

    var headers: HTTPHeaders { HTTPHeaders(fields) }

    /// What a client gets, of an answer with `length` bytes that was made `age` seconds ago.
    func answer(length: Int64, age: Int64) -> HTTPResponseHead {
        var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status))
        head.headers = headers
        head.headers.add(name: "Content-Length", value: "\(length)")
        head.headers.add(name: "Age", value: "\(max(age, 0))")
        return head
    }

    static func == (one: CachedHead, other: CachedHead) -> Bool { one.bytes == other.bytes }
}
