-- No floating-point column in any file: DuckDB writes 128-bit sums as DOUBLE without a
-- warning, and floats do not add up alike twice.
select file, name, type
from written_types
where type in ('DOUBLE', 'FLOAT', 'INT96')
order by file, name;
