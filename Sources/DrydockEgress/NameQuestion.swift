// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// One question to a name server, and the answers there are to it.
///
/// Source: RFC 1035 section 4, RFC 2308 for names without an address.
struct NameQuestion: Hashable, Sendable {
    /// As it was asked, for whoever shows it; what is no host's name is one here too.
    var asked: String
    /// nil where it is no host's name, and so can not be granted.
    var host: HostName?
    /// Whether an address of version 4 is asked for.
    var wantsAddress: Bool
    private var id: ArraySlice<UInt8>
    private var flags: UInt8
    private var question: ArraySlice<UInt8>

    enum Answer: Hashable, Sendable {
        case address(UInt32)
        /// The name is there, and has nothing of what was asked for.
        case nothing
        case noSuchName
    }

    /// Seconds for which an address may be kept: as long as any process of the sandbox wants.
    private static let lifetime: UInt32 = 3_600

    /// Reads a packet; nil for what is no question, which nobody answers.
    init?(_ packet: [UInt8]) {
        // A question (QR 0, opcode 0), and one of them. Records behind it (EDNS) change nothing.
        guard packet.count >= 12 + 5, packet[2] & 0xF8 == 0, packet[4] == 0, packet[5] == 1,
            packet[6...7].allSatisfy({ $0 == 0 })
        else { return nil }
        var labels: [ArraySlice<UInt8>] = []
        var position = 12
        while true {
            guard position < packet.count else { return nil }
            let length = Int(packet[position])
            position += 1
            if length == 0 { break }
            // Compression has nothing to point to here.
            guard length <= 63, position + length < packet.count, position - 12 + length < 255 else {
                return nil
            }
            labels.append(packet[position..<position + length])
            position += length
        }
        guard position + 4 <= packet.count else { return nil }
        let isInternet = packet[position + 2] == 0 && packet[position + 3] == 1
        wantsAddress = isInternet && packet[position] == 0 && packet[position + 1] == 1
        // A dot inside a label would make two of it.
        let isPlain = !labels.contains { $0.contains(UInt8(ascii: ".")) }
        asked = labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
        host = isPlain ? try? HostName(asked) : nil
        id = packet[0...1]
        flags = packet[2]
        question = packet[12..<position + 4]
    }

    /// The packet that answers it.
    func answered(_ answer: Answer) -> [UInt8] {
        // An answer with authority, recursion as it was wanted, and available.
        let code: UInt8 = answer == .noSuchName ? 3 : 0
        let isAddress = if case .address = answer { true } else { false }
        var packet = Array(id) + [0x84 | (flags & 1), 0x80 | code, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0]
        packet += question
        if case .address(let address) = answer {
            // The name by a pointer to the question, A, IN.
            packet += [0xC0, 12, 0, 1, 0, 1] + Self.bytes(Self.lifetime) + [0, 4] + Self.bytes(address)
        }
        return packet
    }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
