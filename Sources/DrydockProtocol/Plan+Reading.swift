// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

extension Plan: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        self.init(
            steps: try fields.required("steps"),
            artifacts: try fields.required("artifacts"),
            preview: try fields.optional("preview"),
            root: try fields.optional("rootfs"),
            policy: Policy(
                limits: try Limits(try fields.required("limits").fields()),
                minimumLevel: try fields.optional("minimum_level") ?? .reduced,
                network: NetworkPolicy(try fields.optional("network") ?? [])
            ),
            clipped: try fields.required("clipped")
        )
    }
}

extension PlannedRoot: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        self.init(name: try fields.required("name"), digest: try fields.required("digest"))
    }
}

extension PlannedStep: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        self.init(
            id: try fields.required("id"),
            plugin: try fields.required("plugin"),
            title: try fields.required("title"),
            with: fields.values["with"] ?? .null,
            needs: try fields.required("needs"),
            network: try fields.required("network") as [NetworkRule],
            profile: try fields.optional("profile"),
            inputs: try fields.required("inputs"),
            outputs: try fields.required("outputs"),
            timeout: try fields.optionalDuration("timeout_ms"),
            env: try fields.required("env"),
            weight: try fields.required("weight")
        )
    }
}

extension PreviewRule: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        self.init(
            root: try fields.optional("root"),
            spa: try fields.required("spa"),
            start: try fields.optional("start")
        )
    }
}

extension Limits {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            memory: try fields.required("memory"),
            processes: try fields.required("processes"),
            disk: try fields.required("disk"),
            fileSize: try fields.required("file_size"),
            openFiles: try fields.required("open_files"),
            cpus: try fields.optional("cpus"),
            total: try fields.duration("total_ms"),
            step: try fields.duration("step_ms"),
            silence: try fields.duration("silence_ms"),
            log: try fields.required("log"),
            // Older journals have none.
            network: try fields.optional("network") ?? Limits().network
        )
    }
}
