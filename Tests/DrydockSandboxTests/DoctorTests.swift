// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@testable import DrydockSandbox

@Suite("what the doctor makes of a machine")
struct DoctorTests {
    @Test("without a mount that is /, this is a chroot")
    func chroot() {
        let whole = "22 1 8:1 / / rw - ext4 /dev/sda rw\n23 22 0:5 / /proc rw - proc proc rw\n"
        #expect(ChrootCheck.hasRootMount(whole))
        #expect(!ChrootCheck.hasRootMount("23 22 0:5 / /proc rw - proc proc rw\n"))
        #expect(ChrootCheck.hasRootMount(""), "a file that can not be read proves nothing")
        let check = ChrootCheck.check(isChroot: true)
        #expect(!check.isOK && check.remedy?.contains("pivot_root") == true)
    }

    @Test("few inotify instances are told with the remedy, and none at all stops builds")
    func inotify() {
        let many = InotifyCheck.check(.init(instances: 8, watches: 8), instances: "128", watches: "9000")
        #expect(many.isOK && many.remedy == nil)
        #expect(many.detail.contains("8 or more of 128 instances"))
        let few = InotifyCheck.check(.init(instances: 2, watches: 8), instances: "128", watches: "9000")
        #expect(!few.isOK && !few.isVital)
        #expect(few.remedy?.contains("max_user_instances") == true)
        let full = InotifyCheck.check(.init(instances: 8, watches: 0), instances: "128", watches: "9000")
        #expect(full.remedy?.contains("max_user_watches") == true)
        let report = DoctorReport(level: .full, kernel: "6.1", identity: .current, checks: [full])
        #expect(!report.canBuild())
    }
}
