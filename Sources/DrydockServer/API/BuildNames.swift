// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// What a request calls its build, and how it wants it, checked: in the address, or else in a JSON body.
struct BuildNames: Sendable {
    var session: SessionID?
    var project: ProjectName?
    var title: String?
    /// Where in the source the project is.
    var directory: RelativePath?
    var parameters: BuildParameters?

    init(query: Query) throws(Problem) {
        session = try Self.checked(try query.one("session_id"), Self.session)
        project = try Self.checked(try query.one("project"), Self.project)
        title = try query.one("title").flatMap(Self.title)
        directory = try Self.checked(try query.one("directory"), Self.directory)
        let pairs = query.all("param")
        parameters =
            pairs.isEmpty ? nil : try Self.parameters { () throws(FieldProblem) in try .init(pairs: pairs) }
    }

    /// The same with what only the body says.
    func completed(by wish: SourceUpload.Wish) throws(Problem) -> BuildNames {
        var names = self
        if session == nil { names.session = try Self.checked(wish.session, Self.session) }
        if project == nil { names.project = try Self.checked(wish.project, Self.project) }
        if title == nil { names.title = wish.title.flatMap(Self.title) }
        if directory == nil { names.directory = try Self.checked(wish.directory, Self.directory) }
        if parameters == nil { names.parameters = wish.parameters }
        return names
    }

    /// `Optional.map` would lose the type of what is thrown.
    private static func checked<Name>(
        _ text: String?,
        _ check: (String) throws(Problem) -> Name
    ) throws(Problem) -> Name? {
        guard let text else { return nil }
        return try check(text)
    }

    static func session(_ text: String) throws(Problem) -> SessionID {
        guard let session = SessionID(checking: text) else {
            throw Problem(400, "session_id_invalid", ClientMessageError.badSession.message)
        }
        return session
    }

    private static func directory(_ text: String) throws(Problem) -> RelativePath {
        do throws(PathProblem) {
            return try RelativePath(parsing: text)
        } catch {
            throw Problem(
                400,
                "directory_invalid",
                "\"directory\" \(error.explanation)",
                hint: RelativePath.rule
            )
        }
    }

    /// What `read` gives; what is wrong with it is the client's to mend.
    static func parameters(
        _ read: () throws(FieldProblem) -> BuildParameters
    ) throws(Problem) -> BuildParameters {
        do throws(FieldProblem) {
            return try read()
        } catch {
            throw Problem(400, "params_invalid", error.sentence, hint: BuildParameters.rule)
        }
    }

    private static func project(_ text: String) throws(Problem) -> ProjectName {
        guard let project = ProjectName(checking: text) else {
            throw Problem(
                400,
                "project_invalid",
                "\"project\" must have 1 to 200 bytes and no control characters"
            )
        }
        return project
    }

    /// One line for people; nil when nothing of it is left.
    private static func title(_ text: String) -> String? {
        let scalars = text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(200)
        return scalars.isEmpty ? nil : String(String.UnicodeScalarView(scalars))
    }
}
