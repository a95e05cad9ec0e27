// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

extension Page {
    static let icon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b7285"/>
        <path d="M6 11v12h20V11M10 19h12M12 15h8" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"
        stroke-linejoin="round"/></svg>
        """

    static let document = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Drydock</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/page.css">
        <script src="/page.js" type="module"></script>
        </head>
        <body>
        <a class="skip" href="#detail">Skip to the build</a>
        <header class="bar">
          <img src="/icon.svg" width="28" height="28" alt="">
          <h1>Drydock</h1>
          <p class="link" id="link" role="status" data-state="idle">Not connected</p>
        </header>
        <form class="key" id="key" hidden>
          <label for="token" id="key-text"></label>
          <input type="password" id="token" autocomplete="off" required>
          <button type="submit">Use it</button>
        </form>
        <div class="columns">
          <nav aria-label="Builds">
            <label class="drop" id="drop">
              <input type="file" id="file" accept=".tar,.gz,.tgz,.zip">
              <span class="drop-title">Build an archive</span>
              <span class="drop-hint">Drop a tar, tar.gz or zip here, or choose one</span>
            </label>
            <label class="into">Session
              <input id="into" list="sessions" placeholder="a new one for each" autocomplete="off">
              <datalist id="sessions"></datalist>
            </label>
            <h2>Builds</h2>
            <ol class="builds" id="builds"></ol>
            <p class="empty" id="empty">No builds yet.</p>
          </nav>
          <main id="detail" tabindex="-1">
            <section class="welcome" id="welcome">
              <h2 id="welcome-title">Watch a build</h2>
              <p id="welcome-text">Choose a build on the left, or send an archive with a <code>drydock.yaml</code>:</p>
              <pre id="command"></pre>
            </section>
            <section class="build" id="build" hidden>
              <div class="head">
                <div>
                  <h2 id="title"></h2>
                  <p class="meta" id="meta"></p>
                </div>
                <div class="actions">
                  <a class="button primary" id="preview" target="_blank" rel="noopener noreferrer" hidden>Open preview</a>
                  <button type="button" id="cancel" hidden>Cancel</button>
                  <button type="button" id="retry" hidden>Build again</button>
                </div>
              </div>
              <p class="now"><span class="badge" id="state"></span> <span id="message" role="status"></span></p>
              <div class="failure" id="failure" hidden>
                <h3 id="failure-title"></h3>
                <p id="failure-hint"></p>
              </div>
              <ol class="steps" id="steps" aria-label="Steps"></ol>
              <div class="log-head">
                <h3 id="log-title">Log</h3>
                <label><input type="checkbox" id="follow" checked> Follow</label>
                <a id="raw">Plain text</a>
              </div>
              <div class="log" id="log" role="log" aria-live="off" aria-labelledby="log-title" tabindex="0"></div>
              <div id="artifacts-box" hidden>
                <h3>Artifacts</h3>
                <ul class="artifacts" id="artifacts"></ul>
              </div>
            </section>
          </main>
        </div>
        <div class="toast" id="toast" role="alert" hidden></div>
        </body>
        </html>
        """
}
