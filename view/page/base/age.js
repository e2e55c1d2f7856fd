/** How old the data is, and what that means. Measured from the store's last heartbeat, not from the last event: quiet is not old. */

export const STALE_S = 15;
export const BANNER_S = 60;
export const GREY_S = 300;

/** @typedef {"waiting" | "live" | "stale" | "banner" | "grey"} Freshness */

/** @param {number | null} ageS seconds; null: nothing came yet @returns {Freshness} */
export function freshness(ageS) {
  if (ageS === null) return "waiting";
  if (ageS > GREY_S) return "grey";
  if (ageS > BANNER_S) return "banner";
  return ageS > STALE_S ? "stale" : "live";
}
