"""Invented names. Only the county code and the banner's name are real, and the name says that it is a model."""

from __future__ import annotations

from typing import Final

BANNER: Final = "150627"
BANNER_NAME: Final = "伊金霍洛（模型）"
TOWNS: Final = ("中心镇", "西河镇", "东原镇", "南梁镇", "草滩苏木", "矿山镇", "沙柳镇")
_TWO_WORDS: Final = (
    "和顺", "安康", "春晖", "新苑", "文昌", "锦绣", "富康", "长青", "明珠", "宏源", "康宁", "祥和", "平安", "永兴", "育才", "湖畔",
    "向阳", "红旗", "建设", "光明", "胜利", "团结", "友谊", "东胜路", "兴盛", "乐居", "绿苑", "金桥", "银河", "白杨", "杏园", "松涛",
    "柳林", "泉源", "石桥", "清水", "沙湖", "丰收", "新民", "高原", "长滩", "草原", "月牙", "星光", "晨曦", "牧歌", "蓝天", "河湾",
    "双井", "大榆", "北坡", "南泉", "西梁", "东沟", "前进", "后山", "盐池", "磨坊", "古渡", "驼铃",
)  # fmt: skip
COMMUNITIES: Final = tuple(f"{words}社区" for words in _TWO_WORDS)
"""More than a city needs; each stands for one community only, so that a place can be found by its name."""
