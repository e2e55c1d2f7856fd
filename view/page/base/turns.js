/** Work in pieces: between two of them the browser answers the reader and paints. */

/** The next piece. @returns {Promise<void>} */
export const nextTurn = () => new Promise((go) => setTimeout(go));

/** What has been drawn until now is on the screen; a tab that nobody looks at is not painted. @returns {Promise<void>} */
export const painted = () => new Promise((go) => (document.hidden ? setTimeout(go) : requestAnimationFrame(() => setTimeout(go))));
