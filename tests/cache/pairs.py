"""Programs that differ in one place, where ``<<one|other>>`` stands, and by which what they do differs, too."""

from __future__ import annotations

PAIRS = {
    "super": """
class B(Operator):
    def forward(s,x): return <<x|x+1>>
class F(B):
    def forward(s,x): return super().forward(x)
op=F()
""",
    "property": """
class F(Operator):
    @property
    def p(s): return <<1|2>>
    def forward(s,x): return s.p
op=F()
""",
    "staticmethod": """
class F(Operator):
    @staticmethod
    def p(): return <<1|2>>
    def forward(s,x): return s.p()
op=F()
""",
    "getattr dyn": """
class F(Operator):
    def do_a(s): return <<1|2>>
    def forward(s,x): return getattr(s,'do_'+x)()
op=F()
""",
    "getattr const": """
class F(Operator):
    def do_a(s): return <<1|2>>
    def forward(s,x): return getattr(s,'do_a')()
op=F()
""",
    "getattr alias": """
g=getattr
class F(Operator):
    def do_a(s): return <<1|2>>
    def forward(s,x): return g(s,'do_'+x)()
op=F()
""",
    "dunder getattr": """
class F(Operator):
    def __getattr__(s,n): return <<1|2>>
    def forward(s,x): return s.zzz
op=F()
""",
    "singledispatch": """
import functools
@functools.singledispatch
def f(x): return 0
@f.register
def _(x:int): return <<1|2>>
@operator
def op(x): return f(x)
""",
    "singledispatch type": """
import functools
@functools.singledispatch
def f(x): return 0
@f.register
def _(x:<<int|str>>): return 1
@operator
def op(x): return f(x)
""",
    "lru": """
import functools
@functools.lru_cache
def f(x): return <<0|1>>
@operator
def op(x): return f(x)
""",
    "contextmanager": """
import contextlib
@contextlib.contextmanager
def f(): yield <<1|2>>
@operator
def op(x):
    with f() as y: return y
""",
    "dispatch table": """
def a(): return 1
def b(): return <<2|3>>
T={'a':a,'b':b}
@operator
def op(x): return T[x]()
""",
    "table swapped": """
def a(): return 1
def b(): return 2
T={'a':<<a,'b':b|b,'b':a>>}
@operator
def op(x): return T[x]()
""",
    "method in table": """
class S:
    def area(s): return <<1|2>>
T=[lambda s:s.area()]
@operator
def op(x): return T[0](S())
""",
    "partial": """
import functools
def f(a,b): return a+b
g=functools.partial(f,<<1|2>>)
@operator
def op(x): return g(x)
""",
    "enum": """
import enum
class E(enum.Enum):
    A=<<1|2>>
@operator
def op(x): return E.A.value
""",
    "enum method": """
import enum
class E(enum.Enum):
    A=1
    def m(s): return <<1|2>>
@operator
def op(x): return E.A.m()
""",
    "dataclass default": """
import dataclasses
@dataclasses.dataclass
class P:
    a:int=<<1|2>>
@operator
def op(x): return P().a
""",
    "dataclass frozen": """
import dataclasses
@dataclasses.<<dataclass|dataclass(frozen=True)>>
class P:
    a:int=1
@operator
def op(x): return hash(P())
""",
    "dataclass post": """
import dataclasses
@dataclasses.dataclass
class P:
    a:int=1
    def __post_init__(s): s.a=<<2|3>>
@operator
def op(x): return P().a
""",
    "namedtuple method": """
from typing import NamedTuple
class P(NamedTuple):
    a:int
    def m(s): return <<1|2>>
@operator
def op(x): return P(1).m()
""",
    "namedtuple default": """
from typing import NamedTuple
class P(NamedTuple):
    a:int=<<1|2>>
@operator
def op(x): return P().a
""",
    "namedtuple order": """
from collections import namedtuple
P=namedtuple('P',<<'a b'|'b a'>>)
@operator
def op(x): return P(1,2).a
""",
    "pydantic": """
import pydantic
class P(pydantic.BaseModel):
    a:<<int|str>>=1
@operator
def op(x): return P(a='1').a
""",
    "pydantic validator": """
import pydantic
class P(pydantic.BaseModel):
    a:int=1
    @pydantic.field_validator('a')
    def v(cls,v): return <<v|v+1>>
@operator
def op(x): return P(a='1').a
""",
    "pydantic const": """
import pydantic
class P(pydantic.BaseModel):
    a:int=pydantic.Field(gt=<<1|3>>)
@operator
def op(x): return P(a=2).a
""",
    "pydantic config": """
import pydantic
class P(pydantic.BaseModel):
    <<a|model_config={'str_strip_whitespace':True}
    a>>:str
@operator
def op(x): return P(a='A ').a
""",
    "metaclass": """
class M(type):
    def __call__(c): return <<1|2>>
class A(metaclass=M): pass
@operator
def op(x): return A()
""",
    "descriptor": """
class D:
    def __get__(s,o,t): return <<1|2>>
class F(Operator):
    d=D()
    def forward(s,x): return s.d
op=F()
""",
    "global instance": """
class S:
    def __init__(s): s.v=<<1|2>>
S_=S()
@operator
def op(x): return S_.v
""",
    "class deco": """
def d(c): c.k=<<1|2>>; return c
@d
class S: pass
@operator
def op(x): return S.k
""",
    "wrapped lost": """
def d(f):
    def g(*a): return f(*a)+<<1|2>>
    return g
@d
def h(x): return x
@operator
def op(x): return h(x)
""",
    "match": """
@operator
def op(x):
    match x:
        case {<<'a'|'b'>>:y}: return y
        case _: return 0
""",
    "fstring": """
@operator
def op(x): return f'{x:><<3|4>>}'
""",
    "fstring conv": """
@operator
def op(x): return f'{x!<<r|s>>}'
""",
    "kwonly": """
def h(x,*,k=<<1|2>>): return x+k
@operator
def op(x): return h(x)
""",
    "nonlocal": """
def m():
    n=<<1|2>>
    def f(): return n
    return f
f=m()
@operator
def op(x): return f()
""",
    "const str bytes": """
@operator
def op(x): return <<'a'|b'a'>>
""",
    "const 1 True": """
@operator
def op(x): return <<1|True>>
""",
    "const zero": """
@operator
def op(x): return <<0|-0>>.0
""",
    "docstring used": """
def h():
    <<'a'|'b'>>
@operator
def op(x): return h.__doc__
""",
    "annotations used": """
import inspect
def h(a:<<int|str>>): return a
@operator
def op(x): return str(inspect.signature(h))
""",
    "locals used": """
@operator
def op(x):
    <<y|z>>=1
    return sorted(locals())
""",
    "name used": """
def <<h(): pass|i(): pass
h=i>>
@operator
def op(x): return h.__name__
""",
    "slots": """
class S:
    __slots__=('v',)
    def __init__(s): s.v=<<1|2>>
S_=S()
@operator
def op(x): return S_.v
""",
    "child in list": """
class C(Operator):
    def forward(s,x): return <<1|2>>
class F(Operator):
    def __init__(s): s.c=[C()]
    def forward(s,x): return s.c[0](x)
op=F()
""",
    "str dispatch": """
import operator as o
class S:
    def area(s): return <<1|2>>
N='area'
@operator
def op(x): return o.methodcaller(N)(S())
""",
    "sort key": """
class K:
    def __init__(s,v): s.v=v
    def __lt__(s,o): return s.<<v<o|v>o>>.v
@operator
def op(x): return [k.v for k in sorted([K(1),K(2)])]
""",
    "thread sub": """
import threading
class T(threading.Thread):
    def run(s): s.r=<<1|2>>
@operator
def op(x):
    t=T(); t.start(); t.join(); return t.r
""",
    "sink read elsewhere": """
c=[<<|1>>]
def r(): return len(c)
@operator
def op(x):
    c.append(x)
    return r()
""",
    "init subclass": """
class B:
    def __init_subclass__(c): c.k=<<1|2>>
class S(B): pass
@operator
def op(x): return S().k
""",
    "factory new": """
class S:
    def __init__(s): s.v=<<1|(lambda:1)()>>
    def mk(s): return type(s)()
S_=S()
@operator
def op(x): return S_.mk().v
""",
    "module attr alias": """
import math
@operator
def op(x): return math.<<floor|ceil>>(x)
""",
    "import swap": """
from math import <<floor|ceil>> as f
@operator
def op(x): return f(x)
""",
}


def sides(source: str) -> tuple[str, str]:
    """The two programs."""
    before, _, rest = source.partition("<<")
    choice, _, after = rest.partition(">>")
    one, _, other = choice.partition("|")
    head = "from operator_lib import Operator, operator\n"
    return head + before + one + after, head + before + other + after
