using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

/// <summary>One thing to measure.</summary>
internal interface IRow
{
    /// <summary>What it is called on the command line.</summary>
    string Name { get; }

    string Summary { get; }

    /// <summary>What takes longer has broken down.</summary>
    TimeSpan Limit => TimeSpan.FromMinutes(4);

    Task<IReadOnlyList<Line>> MeasureAsync(Bench bench);
}
