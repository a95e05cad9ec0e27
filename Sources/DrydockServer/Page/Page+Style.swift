// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

extension Page {
    static let style = """
        :root {
          color-scheme: light dark;
          --ground: light-dark(#f5f7f8, #10171b); --panel: light-dark(#fff, #172127);
          --line: light-dark(#dbe2e6, #2a373f); --text: light-dark(#16222a, #e4ecef);
          --soft: light-dark(#54656f, #9aacb6); --accent: light-dark(#0b7285, #4cc3d9);
          --on-accent: light-dark(#fff, #06222a); --chosen: light-dark(#e3f3f6, #1d3138);
          --good: light-dark(#1b7a3d, #57c97f); --bad: light-dark(#b3261e, #ff8a80);
          --busy: light-dark(#8a5a00, #f0b94d); --log: #0d1418; --log-text: #d5e0e5;
        }
        * { box-sizing: border-box; }
        html { height: 100%; }
        body { margin: 0; min-height: 100%; background: var(--ground); color: var(--text);
          font: 15px/1.5 system-ui, sans-serif; display: flex; flex-direction: column; }
        h1, h2, h3, p { margin: 0; }
        h1 { font-size: 18px; letter-spacing: -.01em; }
        h2 { font-size: 20px; letter-spacing: -.01em; overflow-wrap: anywhere; }
        h3 { font-size: 14px; }
        code, pre, .log { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, monospace; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        [hidden] { display: none !important; }
        .skip { position: absolute; left: -999px; }
        .skip:focus { left: 12px; top: 12px; background: var(--panel); padding: 8px 12px; z-index: 3; }
        .bar { display: flex; align-items: center; gap: 10px; padding: 10px 20px; background: var(--panel);
          border-bottom: 1px solid var(--line); }
        .link { margin-left: auto; color: var(--soft); font-size: 13px; }
        .link::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%;
          background: var(--soft); margin-right: 7px; }
        .link[data-state=open]::before { background: var(--good); }
        .link[data-state=lost]::before { background: var(--bad); }
        .key, .into { display: flex; gap: 10px; align-items: center; }
        .key { padding: 10px 20px; background: var(--chosen); border-bottom: 1px solid var(--line); flex-wrap: wrap; }
        .into { color: var(--soft); font-size: 13px; padding: 0 8px; }
        .key input, .into input { font: inherit; color: var(--text); background: var(--panel); border: 1px solid var(--line);
          border-radius: 8px; padding: 5px 10px; flex: 1; min-width: 0; max-width: 320px; }
        .columns { display: grid; grid-template-columns: 320px minmax(0, 1fr); flex: 1; }
        nav { border-right: 1px solid var(--line); padding: 18px 14px; display: flex; flex-direction: column; gap: 12px; }
        nav h2 { font-size: 13px; color: var(--soft); text-transform: uppercase; letter-spacing: .06em; padding: 6px 8px 0; }
        .drop { display: block; border: 1.5px dashed var(--line); border-radius: 10px; padding: 14px; cursor: pointer;
          background: var(--panel); position: relative; }
        .drop:hover, .drop.over { border-color: var(--accent); background: var(--chosen); }
        .drop:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
        .drop input { position: absolute; inset: 0; opacity: 0; cursor: pointer; width: 100%; }
        .drop-title { display: block; font-weight: 600; }
        .drop-hint { color: var(--soft); font-size: 13px; }
        .builds { list-style: none; margin: 0; padding: 0; display: flex; flex-direction: column; gap: 2px; }
        .builds button { width: 100%; text-align: left; border: 0; background: none; color: inherit; font: inherit;
          padding: 8px 10px; border-radius: 8px; cursor: pointer; display: grid; grid-template-columns: 14px minmax(0, 1fr) auto;
          gap: 2px 8px; align-items: baseline; }
        .builds button:hover { background: var(--chosen); }
        .builds button[aria-current=true] { background: var(--chosen); box-shadow: inset 3px 0 var(--accent); }
        .builds .name { font-weight: 550; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .builds .when, .builds .sub { color: var(--soft); font-size: 12.5px; }
        .builds .sub { grid-column: 2 / 4; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .dot { width: 9px; height: 9px; border-radius: 50%; background: var(--soft); align-self: center; }
        .dot[data-kind=good] { background: var(--good); } .dot[data-kind=bad] { background: var(--bad); }
        .dot[data-kind=busy] { background: var(--busy); animation: pulse 1.4s ease-in-out infinite; }
        @keyframes pulse { 50% { opacity: .35; } }
        @media (prefers-reduced-motion: reduce) { .dot { animation: none !important; } }
        .empty { color: var(--soft); padding: 0 8px; }
        main { padding: 22px 26px; min-width: 0; outline: none; }
        .welcome { max-width: 60ch; margin: 8vh auto; display: flex; flex-direction: column; gap: 10px; }
        .welcome pre { background: var(--log); color: var(--log-text); padding: 14px 16px; border-radius: 10px;
          overflow-x: auto; font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere; }
        .build { display: flex; flex-direction: column; gap: 14px; }
        .head { display: flex; gap: 16px; justify-content: space-between; align-items: flex-start; flex-wrap: wrap; }
        .meta { color: var(--soft); font-size: 13.5px; }
        .actions { display: flex; gap: 8px; }
        button, .button { font: inherit; border: 1px solid var(--line); background: var(--panel); color: inherit;
          padding: 6px 14px; border-radius: 8px; cursor: pointer; text-decoration: none; }
        .actions button:hover { border-color: var(--accent); }
        .button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
        .now { display: flex; gap: 10px; align-items: center; min-height: 28px; }
        .badge { border-radius: 99px; padding: 2px 11px; font-size: 13px; font-weight: 600; border: 1px solid currentColor; }
        .badge[data-kind=good] { color: var(--good); } .badge[data-kind=bad] { color: var(--bad); }
        .badge[data-kind=busy] { color: var(--busy); }
        #message { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .failure { border-left: 4px solid var(--bad); background: var(--panel); padding: 12px 16px; border-radius: 0 8px 8px 0; }
        .failure p { color: var(--soft); }
        .steps { list-style: none; display: flex; flex-wrap: wrap; gap: 8px; padding: 0; margin: 0; }
        .steps li { display: flex; gap: 8px; align-items: center; background: var(--panel); border: 1px solid var(--line);
          padding: 4px 12px; border-radius: 99px; font-size: 13.5px; }
        .steps .took { color: var(--soft); }
        .log-head { display: flex; gap: 16px; align-items: baseline; }
        .log-head label { margin-left: auto; font-size: 13.5px; }
        a { color: var(--accent); }
        .log { background: var(--log); color: var(--log-text); border-radius: 10px; padding: 12px 0; height: 52vh;
          overflow: auto; font-size: 13px; line-height: 1.55; }
        .log div { padding: 0 16px; white-space: pre-wrap; overflow-wrap: anywhere; min-height: 1.55em; }
        .log .diag { border-left: 3px solid #e0b04c; padding-left: 13px; color: #ffd88a; }
        .log .diag[data-severity="error"] { border-color: #ff7b6b; color: #ffb4a9; font-weight: 700; }
        .log .err { color: #ffb4a9; } .log .host { color: #7fd1e0; } .log .stage { color: #7fd1e0; font-weight: 700; padding-top: 6px; }
        .artifacts { padding-left: 18px; margin: 6px 0; columns: 2 280px; font-size: 13.5px; overflow-wrap: anywhere; }
        .artifacts span { color: var(--soft); }
        .toast { position: fixed; bottom: 20px; left: 50%; transform: translateX(-50%); background: var(--bad);
          color: light-dark(#fff, #2a0906); padding: 10px 18px; border-radius: 10px; max-width: 80vw; }
        @media (max-width: 760px) {
          .columns { grid-template-columns: minmax(0, 1fr); }
          nav { border-right: 0; border-bottom: 1px solid var(--line); }
          .builds { max-height: 34vh; overflow: auto; }
          main { padding: 16px; }
        }
        """
}
