"""A small lexicon, category to words: what a peer classifies texts by."""

from __future__ import annotations

from typing import Final

WORDS: Final = """
disputes: 纠纷 邻里 漏水 宅基地 欠薪 工资 拖欠 物业 停车费 退款 消费 合同 借款 欠款 赔偿 离婚 夫妻 赡养 征地 拆迁 草场 土地 租金 调解
public_order: 打架 斗殴 殴打 被盗 偷 扒窃 抢夺 抢劫 寻衅 赌博 噪音 扰民 占道 摆摊 砸 毁坏 醉酒 起哄
public_safety: 起火 火情 冒烟 爆炸 燃气 泄漏 煤气 触电 坍塌 井盖 塌陷 积水 落水 走失 车祸 追尾 相撞 电梯 停水 停电 隐患 中毒
cyber: 诈骗 刷单 返利 投资群 转账 验证码 冒充 客服 网贷 贷款 公检法 钓鱼 链接 账号 木马
public_institution: 冲击 围堵 机关 政府门口 破坏设施 干扰 威胁 公职 选举
"""
LEXICON: Final = {name: words.split() for name, _, words in (line.partition(": ") for line in WORDS.strip().splitlines())}
