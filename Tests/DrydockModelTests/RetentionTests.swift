// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@Suite("Retention")
struct RetentionTests {
    private static let now = Timestamp(milliseconds: 1_766_000_000_000)

    /// A build that ended so many days ago.
    private func build(
        _ id: String,
        days: Int?,
        project: String = "p",
        succeeded: Bool = true,
        blobs: [String] = [],
        journal: Int64 = 0
    ) -> RetainedBuild {
        RetainedBuild(
            id: BuildID(rawValue: id),
            project: ProjectName(rawValue: project),
            endedAt: days.map { Self.now.advanced(by: .seconds(-$0 * 24 * 3_600)) },
            succeeded: succeeded,
            blobs: Set(blobs.map(Digest.init(rawValue:))),
            journal: journal
        )
    }

    /// What `retention` removes of builds given newest first.
    private func removed(
        _ retention: Retention,
        _ builds: [RetainedBuild],
        blobs: [String: Int64] = [:]
    ) -> [String] {
        let sizes = Dictionary(uniqueKeysWithValues: blobs.map { (Digest(rawValue: $0), $1) })
        return retention.removed(from: builds, blobs: sizes, now: Self.now).map(\.rawValue)
    }

    @Test("without a limit everything stays")
    func unlimited() {
        #expect(removed(Retention(), [build("b", days: 1), build("a", days: 10_000)]).isEmpty)
    }

    @Test("old builds go, the oldest first; the newest of a project and its newest good one stay")
    func age() {
        var retention = Retention()
        retention.age = .seconds(30 * 24 * 3_600)
        let builds = [
            build("newest", days: 40, succeeded: false), build("good", days: 50),
            build("older", days: 60), build("oldest", days: 70, succeeded: false),
            build("other", days: 80, project: "q"),
        ]
        #expect(removed(retention, builds) == ["oldest", "older"])
        let edge = [build("c", days: 1), build("b", days: 30), build("a", days: 31)]
        #expect(removed(retention, edge) == ["a"])
    }

    @Test("of each project so many stay, those that have not ended aside")
    func count() {
        var retention = Retention()
        retention.builds = 2
        let builds = [
            build("running", days: nil), build("p3", days: 1), build("q1", days: 1, project: "q"),
            build("p2", days: 2), build("p1", days: 3), build("waiting", days: nil, project: "q"),
        ]
        #expect(removed(retention, builds) == ["p1"])
    }

    @Test("a newest good build beyond the count stays all the same")
    func newestGood() {
        var retention = Retention()
        retention.builds = 1
        let builds = [
            build("c", days: 1, succeeded: false), build("b", days: 2, succeeded: false), build("a", days: 3),
        ]
        #expect(removed(retention, builds) == ["b"])
    }

    @Test("the oldest go until the rest fits; what others refer to too is no room won")
    func size() {
        var retention = Retention()
        let builds = [
            build("d", days: 1, blobs: ["shared"], journal: 1),
            build("c", days: 2, blobs: ["own"], journal: 1),
            build("b", days: 3, blobs: ["shared"], journal: 1), build("a", days: 4, blobs: [], journal: 1),
        ]
        let blobs: [String: Int64] = ["shared": 100, "own": 50, "nobody's": 1_000]
        for (size, gone) in [
            (154, []), (153, ["a"]), (152, ["a", "b"]), (151, ["a", "b", "c"]), (1, ["a", "b", "c"]),
        ] as [(Int64, [String])] {
            retention.size = ByteCount(size)
            #expect(removed(retention, builds, blobs: blobs) == gone, "\(size)")
        }
    }

    @Test("what age takes is not counted as room that is still needed")
    func ageAndSize() {
        var retention = Retention()
        retention.age = .seconds(10 * 24 * 3_600)
        retention.size = ByteCount(60)
        let builds = [
            build("c", days: 1, journal: 30), build("b", days: 2, journal: 30),
            build("a", days: 20, journal: 500),
        ]
        #expect(removed(retention, builds) == ["a"])
    }

    @Test("a damaged build goes only by its name, and holds up what would be removed for room")
    func forgotten() {
        var retention = Retention()
        retention.size = ByteCount(1)
        var damaged = build("damaged", days: nil, journal: 10)
        damaged.isDamaged = true
        let builds = [build("newest", days: 1, journal: 10), damaged, build("old", days: 2, journal: 10)]
        #expect(removed(retention, builds).isEmpty)
        retention.forgotten = [damaged.id, BuildID(rawValue: "newest")]
        #expect(removed(retention, builds) == ["old", "damaged"])
    }
}
