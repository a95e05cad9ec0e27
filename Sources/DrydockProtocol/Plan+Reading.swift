// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

extension Plan {
    /// Reads the object `plan`.
    init(_ fields: WireFields) throws {
        self.init(
            steps: try fields.objects("steps") { try PlannedStep($0) },
            artifacts: try fields.objects("artifacts") { try ArtifactRule($0) },
            preview: try fields.optionalObject("preview").map { try PreviewRule($0) },
            limits: try Limits(try fields.object("limits")),
            clipped: try fields.required("clipped")
        )
    }
}

extension PlannedStep {
    fileprivate init(_ fields: WireFields) throws {
        self.init(
            id: try fields.required("id"),
            plugin: try fields.required("plugin"),
            title: try fields.required("title"),
            with: try fields.required("with"),
            needs: try fields.required("needs"),
            network: try fields.required("network"),
            inputs: try fields.required("inputs"),
            outputs: try fields.required("outputs"),
            timeout: try fields.optionalDuration("timeout_ms"),
            env: try fields.required("env"),
            weight: try fields.required("weight")
        )
    }
}

extension ArtifactRule {
    fileprivate init(_ fields: WireFields) throws {
        self.init(
            path: try fields.required("path"),
            role: try fields.required("role"),
            title: try fields.optional("title")
        )
    }
}

extension PreviewRule {
    fileprivate init(_ fields: WireFields) throws {
        self.init(
            root: try fields.optional("root"),
            spa: try fields.required("spa"),
            start: try fields.optional("start")
        )
    }
}

extension Limits {
    fileprivate init(_ fields: WireFields) throws {
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
            log: try fields.required("log")
        )
    }
}
