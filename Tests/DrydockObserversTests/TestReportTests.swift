// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockObservers
import Testing

@Suite("reports of tests")
struct TestReportTests {
    private func read(_ documents: String..., files: Set<String> = []) -> TestResults? {
        TestReport.results(of: documents.map { Array($0.utf8) }, placed: { files.contains($0) ? $0 : nil })
    }

    private static let pytest = """
        <?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="0" \
        failures="1" skipped="1" tests="3" time="0.031" timestamp="2026-01-01T00:00:00" hostname="drydock">\
        <testcase classname="tests.test_sum" name="test_good" time="0.001" />\
        <testcase classname="tests.test_sum" name="test_bad[a&lt;b]" time="0.002"><failure message="assert 1 == 2&#10; +  where \
        1 = one()">def test_bad():
        &gt;       assert one() == 2
        E       assert 1 == 2

        tests/test_sum.py:9: AssertionError</failure></testcase>\
        <testcase classname="tests.test_sum" name="test_off" time="0.000"><skipped type="pytest.skip" message="off">x</skipped>\
        </testcase></testsuite></testsuites>
        """

    @Test("pytest: counts, the message in a line, and the place from the trace")
    func pytestReport() throws {
        let results = try #require(read(Self.pytest, files: ["tests/test_sum.py"]))
        #expect((results.total, results.failed, results.skipped) == (3, 1, 1))
        #expect(results.milliseconds == 3)
        #expect(results.suites.map(\.name) == ["pytest"])
        let failure = try #require(results.failures.first)
        #expect(failure.name == "tests.test_sum.test_bad[a<b]")
        #expect(failure.message == "assert 1 == 2 + where 1 = one()")
        #expect(failure.file == "tests/test_sum.py" && failure.line == 9)
        #expect(results.words == "3 tests: 1 failed, 1 skipped")
    }

    @Test("a file that is not in the source is no place")
    func elsewhere() throws {
        let results = try #require(read(Self.pytest))
        #expect(results.failures.first?.file == nil && results.failures.first?.line == nil)
    }

    @Test(
        "surefire, XCTest and Go's converters: an error counts as failed, and so does a failure with text alone"
    )
    func others() throws {
        let surefire = """
            <testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="FooTest" time="1,000.5" tests="2" errors="1">
              <properties><property name="a" value="b"/></properties>
              <testcase name="a" classname="FooTest" time="0.5"><error type="java.lang.Error"><![CDATA[java.lang.Error: <x>
              at FooTest.a(FooTest.java:12)]]></error><system-out><![CDATA[<failure>no</failure>]]></system-out></testcase>
              <testcase name="b" classname="FooTest" time="1,000"/>
            </testsuite>
            """
        let xctest = """
            <testsuites><testsuite name="T" errors="0" tests="1" failures="1" time="0.1">
            <testcase classname="T.S" name="t" time="0.1"><failure>expected 1\nmore</failure></testcase></testsuite></testsuites>
            """
        let results = try #require(read(surefire, xctest))
        #expect((results.total, results.failed) == (3, 2))
        #expect(results.milliseconds == 1_000_600)
        #expect(results.failures.map(\.message) == ["java.lang.Error", "expected 1"])
    }

    @Test("secrets are hidden wherever a line breaks them, and what hides or moves text is not taken over")
    func hostileText() throws {
        let document =
            "<testsuite><testcase name=\"a\u{1B}[31m\u{202E}b\"><failure message=\"\(String(repeating: " ", count: 5_000))"
            + "my  secret&#10;token my secret token\"/></testcase></testsuite>"
        let results = try #require(
            TestReport.results(
                of: [Array(document.utf8)],
                placed: { _ in nil },
                masked: { $0.replacing("my secret token", with: "***") }
            )
        )
        let failure = try #require(results.failures.first)
        #expect(failure.message == "*** ***")
        #expect(failure.name == "a\u{FFFD}[31m\u{FFFD}b")
    }

    @Test("places are asked for where a test failed, and a line is one")
    func places() throws {
        let tests = "<testcase name=\"x\" file=\"a.c\" line=\"1\"/>"
        let failing = "<testcase name=\"y\" file=\"a.c\" line=\"9223372036854775807\"><failure/></testcase>"
        var asked = 0
        let results = TestReport.results(
            of: [Array("<testsuite>\(String(repeating: tests, count: 500))\(failing)</testsuite>".utf8)],
            placed: {
                asked += 1
                return $0
            }
        )
        #expect(results?.total == 501 && asked == 1)
        #expect(results?.failures == [FailedTest(name: "y", file: "a.c")])
    }

    @Test("one that takes too long is not read")
    func stopped() {
        let tests = String(repeating: "<testcase name=\"x\"/>", count: 10_000)
        let document = Array("<testsuite>\(tests)</testsuite>".utf8)
        var asked = 0
        let results = TestReport.results(
            of: [document],
            placed: { _ in nil },
            isStopped: {
                asked += 1
                return asked > 3
            }
        )
        #expect(results == nil && asked <= 5)
    }

    @Test(
        "what is no report, or is broken, is none",
        arguments: [
            "", "<html></html>", "not xml", "<testsuite>", "<testsuite></testsuites>", "<testsuite name=\"x>",
            "<!DOCTYPE lolz [<!ENTITY a \"b\">]><testsuite><testcase name=\"&a;\"/></testsuite>",
            "<testsuite><testcase name=a/></testsuite>", "<testsuite/><testsuite/>", "<testsuite/><other/>",
            "<testsuite><![CDATA[", "<testsuite><!-- ", String(repeating: "<testsuite>", count: 100_000),
        ]
    )
    func broken(document: String) {
        #expect(read(document) == nil)
    }

    @Test("a report of any size stays small, and an unknown entity stays as it stands")
    func large() throws {
        let long = String(repeating: "x", count: 100_000)
        let test = "<testcase name=\"&lol;\(long)\"><failure message=\"\(long)\">\(long)</failure></testcase>"
        let suites = String(
            repeating: "<testsuite name=\"s\">\(String(repeating: test, count: 3))</testsuite>",
            count: 150
        )
        let results = try #require(read("<testsuites>\(suites)</testsuites>"))
        #expect(results.total == 450 && results.failed == 450)
        #expect(results.suites.count == TestResults.mostSuites)
        #expect(results.failures.count == TestResults.mostFailures)
        #expect(results.failures[0].name.hasPrefix("&lol;x"))
        #expect(
            results.failures.allSatisfy { $0.name.utf8.count <= 400 && ($0.message?.utf8.count ?? 0) <= 400 }
        )
    }
}
