import { css } from "lit";

export const STYLES = css`
  ha-card { padding: 12px 16px; }
  h2 { font-size: 1.2em; font-weight: 500; margin: 0 0 8px; color: var(--primary-text-color); }
  ul { list-style: none; margin: 0; padding: 0; }
  li { display: flex; gap: 12px; padding: 8px 0; border-top: 1px solid var(--divider-color); }
  li:first-child { border-top: none; }
  .picture { width: 56px; height: 72px; flex: none; border-radius: 8px; object-fit: cover; object-position: top;
    background: var(--secondary-background-color); }
  .portrait { width: 96px; height: 120px; }
  .words { min-width: 0; flex: 1; color: var(--primary-text-color); }
  .who { font-weight: 500; }
  .when, .quiet { color: var(--secondary-text-color); font-size: 0.9em; }
  .stranger .who { color: var(--warning-color, #b26a00); }
  ol { list-style: none; display: flex; flex-wrap: wrap; gap: 4px; margin: 4px 0 0; padding: 0; font-size: 0.9em; }
  ol li { display: inline; padding: 0; border: none; }
  ol li + li::before { content: "→ "; color: var(--secondary-text-color); }
  form { display: flex; gap: 6px; margin-top: 6px; }
  input { flex: 1; min-width: 0; padding: 6px 8px; border-radius: 6px; border: 1px solid var(--divider-color);
    background: var(--card-background-color); color: var(--primary-text-color); font: inherit; }
  button { padding: 6px 10px; border-radius: 6px; border: none; cursor: pointer; font: inherit;
    background: var(--primary-color); color: var(--text-primary-color, #fff); }
  button:disabled { opacity: 0.5; cursor: default; }
  .ask { background: none; color: var(--primary-color); padding: 4px 0; }
  .error { color: var(--error-color); }
  .here { color: var(--success-color, #1b7e3c); font-weight: 500; }
  .person { display: flex; gap: 16px; align-items: flex-start; }
`;
