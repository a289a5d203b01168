namespace Coordination.Benchmarks.Reports;

/// <summary>Figures of one kind, and what they come to.</summary>
internal sealed class Samples
{
    private readonly List<double> _values = [];

    public int Count => _values.Count;

    public double Median => Quantile(0.5);

    public double P90 => Quantile(0.9);

    public double P99 => Quantile(0.99);

    public double Max => Quantile(1);

    public void Add(double value)
    {
        lock (_values)
        {
            _values.Add(value);
        }
    }

    public void Clear()
    {
        lock (_values)
        {
            _values.Clear();
        }
    }

    /// <summary>The median of the quotients round by round: what disturbs a round disturbs both.</summary>
    public double RatioTo(Samples other) => Of(_values.Zip(other._values, (mine, its) => mine / its)).Median;

    public static Samples Of(IEnumerable<double> values)
    {
        var samples = new Samples();
        samples._values.AddRange(values);
        return samples;
    }

    private double Quantile(double part)
    {
        if (_values.Count == 0)
        {
            return double.NaN;
        }

        var sorted = _values.Order().ToArray();
        var at = part * (sorted.Length - 1);
        var below = (int)at;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((at - below) * (sorted[above] - sorted[below]));
    }
}
