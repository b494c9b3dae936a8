"""Charge neutrality of a formula, by common oxidation states."""

from __future__ import annotations

from surveyor.data.chemistry import parse_formula

# Oxidation states that elements are commonly found in (IUPAC and general textbooks' tables).
STATES_TEXT = """
H -1 1;Li 1;Be 2;B -3 3;C -4 -2 2 4;N -3 -2 -1 1 2 3 4 5;O -2 -1;F -1;Na 1;Mg 2;Al 3;Si -4 4
P -3 3 5;S -2 2 4 6;Cl -1 1 3 5 7;K 1;Ca 2;Sc 3;Ti 2 3 4;V 2 3 4 5;Cr 2 3 6;Mn 2 3 4 6 7;Fe 2 3
Co 2 3;Ni 2 3;Cu 1 2;Zn 2;Ga 3;Ge -4 2 4;As -3 3 5;Se -2 4 6;Br -1 1 3 5 7;Kr 2;Rb 1;Sr 2;Y 3
Zr 4;Nb 3 4 5;Mo 2 3 4 5 6;Tc 4 7;Ru 2 3 4 6 8;Rh 1 3;Pd 2 4;Ag 1;Cd 2;In 1 3;Sn -4 2 4;Sb -3 3 5
Te -2 4 6;I -1 1 3 5 7;Xe 2 4 6;Cs 1;Ba 2;La 3;Ce 3 4;Pr 3 4;Nd 3;Pm 3;Sm 2 3;Eu 2 3;Gd 3;Tb 3 4
Dy 3;Ho 3;Er 3;Tm 2 3;Yb 2 3;Lu 3;Hf 4;Ta 3 4 5;W 2 3 4 5 6;Re 3 4 5 6 7;Os 3 4 6 8;Ir 3 4;Pt 2 4
Au 1 3;Hg 1 2;Tl 1 3;Pb 2 4;Bi -3 3 5;Po 2 4;Ra 2;Ac 3;Th 4;Pa 4 5;U 3 4 5 6;Np 3 4 5 6;Pu 3 4 5 6
Am 3 4;Cm 3
"""
STATES = {
    entry.split()[0]: tuple(int(s) for s in entry.split()[1:])
    for entry in STATES_TEXT.replace("\n", ";").split(";")
    if entry.strip()
}
TOLERANCE = 1e-3  # of the charge: amounts are given with few decimals


def neutral(formula: str) -> bool:
    """Return whether common oxidation states, one an element, sum to zero over ``formula``.

    A simple rule, as in SMACT (Davies et al. 2019). Alloys, which need no charges, fail it, so the
    share of neutral formulas is meaningful only in comparison with that of real ones.
    """
    sums = {0.0}
    for element, amount in parse_formula(formula).items():
        states = STATES.get(element, ())
        sums = {round(s + amount * state, 4) for s in sums for state in states}
    return any(abs(s) < TOLERANCE for s in sums)
