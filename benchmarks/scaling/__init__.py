"""How far it goes: what one unit of each kind of work costs, measured, and a simulation of up to 10,000 machines."""
