// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPlugins
import Testing

@Suite("progress only goes forward", .timeLimit(.minutes(1)))
struct ForwardProgressTests {
    private func progress(
        _ script: String,
        kind: String = "guest",
        manifest: String = ""
    ) async throws -> [Progress] {
        let bench = try Bench()
        let plugin = try bench.plugin(script, kind: kind, manifest: manifest)
        _ = await bench.run(plugin)
        return bench.sink.all.compactMap {
            if case .progress(let progress) = $0.event { progress } else { nil }
        }
    }

    @Test("a guest's never goes back, and never beyond its total")
    func guest() async throws {
        let seen = try await progress(
            "for p in 1/4 3/4 2/4 7/4 1/4; do echo \"@dd progress $p\"; done; echo '@dd expect 100'"
        )
        #expect(seen.map(\.current) == [1, 3, 3, 4, 4, 4])
        #expect(seen.map(\.total) == [4, 4, 4, 4, 4, 4])
    }

    @Test("a denominator that moves holds the bar; the text still comes through")
    func movingTotal() async throws {
        let seen = try await progress(
            "echo '@dd progress 7/10 -- a'; echo '@dd progress 8/25 -- b'; echo '@dd progress 20/25 -- c'"
        )
        #expect(seen.map { $0.current / ($0.total ?? 1) } == [0.7, 0.7, 0.8])
        #expect(seen.map(\.text) == ["a", "b", "c"])
    }

    @Test("a driver's own words and what is read off its commands are one bar")
    func mixed() async throws {
        let seen = try await progress(
            """
            read -r welcome; read -r request
            echo '@dd hello'; echo '@dd stage build'; echo '@dd progress 1/2'
            echo '@dd exec a -- echo "[1/10] x"; echo "[9/10] y"'
            read -r started; read -r ended
            echo '@dd progress 6/10'; echo '@dd end ok'
            """,
            kind: "driver",
            manifest: #","stages":[{"id":"build"}]"#
        )
        let shares = seen.map { $0.current / ($0.total ?? 1) }
        #expect(shares == shares.sorted(), "\(shares)")
        #expect(shares.last == 0.9)
    }
}
