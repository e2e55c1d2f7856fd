/**
 * What every page begins with is asked for here, before the page's other modules have come: those take as long as the answers.
 * The shell names this module first, and the set of grids.
 */

import { address, begin } from "./api.js";
import { read } from "./permalink.js";
import { takeToken } from "./token.js";

export const MOST_ALERTS = 200;

takeToken();
const view = read(location.search);
begin(address("/meta"));
begin(address(`/grids.${document.body.dataset.grids}.geojson`));
// A day begins at the city's midnight, which only `meta` tells.
if (view.at.length !== 10) begin(address("/state", { window: view.window, at: view.at, level: view.level }));
begin(address("/alerts", { state: "active", limit: MOST_ALERTS }));
begin(address("/response", { by: "tier" }));
