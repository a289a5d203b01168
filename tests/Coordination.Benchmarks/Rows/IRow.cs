using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

/// <summary>One thing to measure.</summary>
internal interface IRow
{
    /// <summary>What it is called on the command line.</summary>
    string Name { get; }

    string Summary { get; }

    Task<IReadOnlyList<Line>> MeasureAsync(Bench bench);
}
