// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockSandbox

/// A sandbox and its way out, which ends with it.
struct ConnectedSandbox: RunningSandbox {
    private let sandbox: any RunningSandbox
    private let proxy: EgressProxy

    init(_ sandbox: any RunningSandbox, _ proxy: EgressProxy) {
        self.sandbox = sandbox
        self.proxy = proxy
    }

    func end(_ reason: EndReason, grace: Duration) { sandbox.end(reason, grace: grace) }

    func report() async -> SandboxReport {
        var report = await sandbox.report()
        report.usage.network = await proxy.stop()
        return report
    }
}
