/** The wall: read from afar, needs no click, says how old its data is. Sound needs one click, and is never the only signal. */

import { el, say } from "../base/dom.js";
import { clock, day } from "../base/format.js";
import { both, t } from "../base/words.js";
import { serverNow } from "../base/api.js";
import { alertList } from "../panels/alert_list.js";
import { banner } from "../panels/banner.js";
import { button } from "../panels/context.js";
import { figures } from "../panels/figures.js";
import { ageLight } from "../panels/header.js";
import { mapPanel } from "../panels/map_panel.js";
import { movers } from "../panels/movers.js";
import { scenarioGrid } from "../panels/scenario_grid.js";
import { smallTrend } from "../panels/small_trend.js";
import { start } from "./start.js";

/** @type {AudioContext | null} */
let sound = null;

/** A short tone for a new red alert. */
function ring() {
  if (!sound) return;
  const tone = sound.createOscillator();
  tone.frequency.value = 880;
  tone.connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.4);
}

/** @param {import("../panels/context.js").Context} context @returns {import("../panels/context.js").Panel} */
function wall(context) {
  const { model } = context;
  const light = ageLight(context);
  const time = el("time");
  const asOf = el("span", { class: "as-of" });
  const listen = button(t(sound ? "sound_on" : "sound"), () => {
    sound ??= new AudioContext();
    say(listen, t("sound_on"));
  }, { class: "sound" });
  const banner_ = el("h1", {}, model.city?.name(model.meta?.areas[0]?.code ?? "") ?? t("title"));
  banner_.lang = "zh-CN";
  const head = el("header", {}, banner_, time, asOf, light.node, listen);
  const panels = { warn: banner(context), figures: figures(context), trend: smallTrend(context), map: mapPanel(context), alerts: alertList(context, { title: t("alerts"), most: 5 }), movers: movers(context, 5), scenarios: scenarioGrid(context) };
  const foot = el("footer");
  const main = el("main", { class: "wall" }, panels.figures.node, panels.trend.node, panels.map.node, el("div", { class: "side" }, panels.alerts.node, panels.movers.node), panels.scenarios.node);
  /** @param {Set<import("../panels/context.js").Topic>} [topics] */
  const show = (topics) => {
    say(time, `${day(new Date(serverNow()))} ${clock(new Date(serverNow()))}`);
    say(asOf, model.link.asOf === null ? t("waiting") : t("as_of", { time: clock(new Date(model.link.asOf)) }));
    light.show();
    for (const panel of Object.values(panels)) panel.show(topics);
    const sources = model.state?.sources ?? [];
    const each = sources.map((one) => `${both(model.meta?.sources.find((known) => known.id === one.id), one.id)} ${one.ok ? "✓" : "✗"}`).join("  ");
    say(foot, `${t("sources_ok", { ok: sources.filter((one) => one.ok).length, all: sources.length })}  ${each} · ${t("masked")} · ${t("approval")}`);
  };
  show();
  return { node: el("div", { class: "page wall-page" }, head, panels.warn.node, main, foot), show };
}

await start(wall, { title: () => `${t("title")} · ${t("wall")}`, kept: ["mode"], scenarios: true, before: (model) => { if (!model.view.theme) model.view.theme = "dark"; }, news: (alert) => { if (alert.level === 1) ring(); } });
