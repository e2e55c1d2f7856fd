/** Every text of the page in Chinese; `words_en.js` has the same keys, which tsc checks. {name} is a place for a value. */

export const ZH = {
  // page
  title: "一张图一张网", desk: "值班台", wall: "大屏", phone: "移动端", scenarios: "场景", handover: "交接班", skip: "跳到表格",
  language: "English", theme_light: "浅色", theme_dark: "深色", theme_auto: "自动配色", sign_in: "登录", sign_out: "退出", token: "值班令牌",
  token_hint: "由 citybrain view token new 生成", token_wrong: "令牌不被接受", anonymous: "未登录：只见已结束的整日，少于 5 件不显示",
  no_browser: "此浏览器太旧，请使用 Chromium 94、Firefox 93、Safari 16.4 或更新版本。",
  search: "搜索区域", search_hint: "代码、名称或拼音首字母", none_found: "没有这样的区域", all: "全部", close: "关闭", cancel: "取消", more: "还有 {n} 条",
  // age of data
  live: "实时", waiting: "等待数据", stale: "数据延迟", offline: "连接中断", seconds_ago: "{n} 秒前", minutes_ago: "{n} 分钟前", hours_ago: "{n} 小时前",
  minute_at: "{month}/{day} {time}", day_at: "{year}/{month}/{day} {weekday}", weekdays: "周日 周一 周二 周三 周四 周五 周六",
  as_of: "数据 {time}", banner_old: "数据已 {age} 未更新，最后一次 {time}，已重试 {n} 次。屏上仍是最后一次的数据。",
  banner_grey: "数据已 {age} 未更新，最后一次 {time}，已重试 {n} 次。图已变灰，预警不再变化，不能据此处置。",
  loading: "载入中", empty: "本时段无事件（数据源 {ok}/{all} 正常）", failed_part: "此部分未能载入，请刷新页面。", failed: "未能载入{what}：{why}。保留最后一次的数据，已重试 {n} 次。",
  partial: "数据源无信号：{sources}。受影响：{categories}（图上斜线，不是 0）", source_silent: "数据源无信号：{sources}", sources_ok: "数据源 {ok}/{all} 正常",
  // numbers
  today: "今日事件", open_cases: "未办结", overdue: "超时", red_orange: "红橙区域", tier_share: "1-3-5 达标", published_day: "已公布日", shown_sum: "事件合计",
  about_today: "今天（城市时区）发生的事件，按发生时间计，含迟到的；同一事件只计一次。“+n 迟到”：其中发生 {minutes} 分钟以后才收到的件数。", late_n: "+{n} 迟到",
  about_open: "尚未结案的案件。", about_overdue: "按该类时限已超过、仍未完成下一步的案件。",
  about_red_orange: "等级 4 和等级 3 的区域数。等级由规则或检测器给出；0 是有数据且无异常，无数据另标。",
  about_tier: "已派警且到场时间达到所配置级别的比例，附件数和 Wilson 区间；没有到场时间的另计，从不算达标。",
  about_sum: "所示时段内的事件数；同一事件只计一次。", not_known: "未知", interval: "{lo}–{hi} · n={n} · 缺到场时间 {missing}", sources: "数据源", all_well: "正常", some_silent: "有中断",
  about_sources: "按时送来数据的来源数；来源静默超过其时限即为中断。",
  // levels
  level: "等级", level_0: "无异常", level_1: "关注", level_2: "较高", level_3: "高", level_4: "很高", level_none: "无数据", level_masked: "不显示",
  masked: "＜5 或受保护", fixed: "固定分级，不随筛选改变", by_count: "按件数（未登录不显示等级）", paint: "着色", paint_level: "等级", paint_count: "件数", alerts_shape: "预警（形状与颜色）",
  // map
  map: "地图", map_geo: "地理", map_tile: "等面积", map_core: "放大城区", zoom_in: "放大", zoom_out: "缩小", zoom_reset: "全图", legend: "图例",
  points: "点：最近 60 秒的事件", map_about: "方向键在相邻区域间移动，回车选择，Esc 取消选择。下面的表格说的是同样的内容。", base_map: "街道底图",
  base_map_absent: "没有配置街道底图；区域图不需要它。", approval: "示意图：区域由部署方提供，不是行政区划地图", area_label: "{name}，{level}，{n}",
  n_events: "{n} 件", selected: "已选", whole_city: "全市", view_level: "层级", category: "类别", time_window: "时段", win_1h: "1 小时", win_6h: "6 小时", win_24h: "24 小时",
  win_7d: "7 天", win_day: "整日", day: "日期", play: "回放", pause: "暂停", now: "现在", at_time: "截至 {time}", replay: "时间轴", replay_about: "拖动看当天任一时刻；图、表和数字一起变，预警按当时",
  // alerts
  alerts: "预警", grouped: "分组", no_alerts: "没有未结束的预警", group_count: "{name}：{n} 条", of_total: "共 {n} 条", new_red: "新的红色预警：{what}",
  news: "{n} 条新预警", observed: "观测", expected: "预期", upper: "上界", p_value: "p", q_value: "q", evidence: "证据", ack: "签收", dispatch: "派单", escalate: "升级", resolve: "办结",
  false_alarm: "误报", state_open: "未签收", state_acknowledged: "已签收", state_dispatched: "已派单", state_escalated: "已升级", state_resolved: "已办结",
  state_false_alarm: "误报", since: "首发 {time}", obs_exp: "{obs} / 预期 {exp}", masked_alert: "未登录不显示数字",
  // why
  why: "为什么", window: "窗口", detector: "检测器", parameters: "参数", params_hash: "参数指纹", neighbours: "同级相邻区域", events: "事件", event_count: "窗口内最新 {n} 件",
  history: "处置记录", no_history: "还没有处置", did: "{time} {role}：{what}（见版本 {version}）", chart_28: "28 天，每天，含上界", same_weekday: "同星期", baseline: "基线",
  confirm: "确认{what}？", confirm_about: "对 {area} 的预警。写入日志，带时间和令牌名称，不能撤回。", reason: "原因（默认不保存）", done: "{what}已写入日志",
  changed: "此预警已变化：{why}", needs_duty: "需要值班令牌", action_old: "数据太旧，不能处置", no_evidence: "未登录不显示证据", link: "复制链接", copied: "已复制",
  detector_ears_c2: "EARS C2：前 7 天（隔 2 天）的均值加上界", detector_device_silence: "设备无信号", detector_other: "检测器 {id}",
  // trend, movers, cases
  trend: "趋势", trend_about: "实线：观测；虚线：预期；浅带：到上界", as_table: "数据表", hourly: "每小时", daily: "每日", movers: "变化", movers_about: "2(√现在−√一周前)，超过 ±3 为突出；不用百分比",
  up: "升", down: "降", score: "分值", week_before: "一周前", compared: "比较了 {n} 对", no_movers: "没有变化", cases: "案件", case_timeline: "案件时间线", no_cases: "没有案件", step: "步骤", at: "时间",
  due: "时限", met: "达标", not_met: "超时", pending: "未到", role: "岗位", stage_reported: "上报", stage_accepted: "受理", stage_dispatched: "派遣", stage_arrived: "到场", stage_resolved: "处置",
  stage_closed: "结案", role_caller: "报警人或网格员", role_desk: "值班台", role_responder: "处置人员", due_in: "{n}后到期", due_past: "已超时 {n}", minutes: "{n} 分钟", hours: "{n} 小时", days: "{n} 天", tier: "{n} 级",
  // table
  table: "区域表", area: "区域", code: "代码", total: "合计", download: "下载 CSV", sort_by: "按{what}排序", table_about: "与地图相同的数据和筛选",
  // phone
  my_area: "我的区域", todo: "待办", list: "列表", nothing_due: "没有待办", queue: "{n} 个操作等待网络，恢复后发送一次", queue_sent: "已发送 {n} 个操作", queue_failed: "{n} 个操作未被接受：{why}",
  arrived: "到场", back: "返回", today_n: "今日 {n} 起", expected_n: "预期 {n}",
  // scenarios
  scenario_areas: "区域", audience: "使用者", indicators: "指标", scenario_classes: "事件类别", about: "说明", last_alert: "最近预警", count: "件数", seven_days: "7 天",
  // handover
  print: "打印", handover_for: "交接班 {time}", open_alerts: "未结束的预警", notable: "突出变化", signature: "交班 ＿＿＿＿＿＿　接班 ＿＿＿＿＿＿", sound: "启用声音", sound_on: "声音已启用",
};
