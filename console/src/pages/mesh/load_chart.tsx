// Lines over time, on a canvas by uPlot; a file of its own in the build. It sets no HTML, so the content policy lets it be.
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { looks } from '../../ui/theme';

interface Line {
  values: (number | null)[];
  colour: number; // --chain-N
  dash?: number[];
}

interface Props {
  title: string;
  times: number[];
  series: Line[];
  highest?: number; // of the scale, where it is fixed
}

const height_px = 200;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function options(box: HTMLElement, { series, highest }: Props): uPlot.Options {
  const style = getComputedStyle(box);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis: uPlot.Axis = {
    stroke: token('text-2'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: token('line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(120, box.clientWidth),
    height: height_px,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    scales: { y: highest === undefined ? { range: (_chart, _low, high) => [0, Math.max(1, high * 1.15)] } : { range: [0, highest] } },
    axes: [{ ...axis, grid: { show: false }, size: 28, values: (_chart, times) => times.map((at) => clock.format(at * 1000)) }, { ...axis, size: 40 }],
    series: [
      {},
      ...series.map(({ colour, dash }) => ({
        stroke: token(`chain-${colour}`),
        width: 1.5,
        points: { show: false },
        ...(dash ? { dash } : {}),
      })),
    ],
  };
}

const data_of = ({ times, series }: Props): uPlot.AlignedData => [times, ...series.map((line) => line.values)];

export function LoadChart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;

  const make = () => {
    chart.current?.destroy();
    const element = box.current;
    if (element) chart.current = new uPlot(options(element, latest.current), data_of(latest.current), element);
  };
  useEffect(() => {
    const size = new ResizeObserver(() => {
      const width = box.current?.clientWidth ?? 0;
      if (width > 0 && chart.current?.width !== width) chart.current?.setSize({ width, height: height_px });
    });
    size.observe(box.current as HTMLElement);
    return () => {
      size.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, []);
  useSignalEffect(() => {
    void looks.value;
    make();
  });
  useEffect(() => chart.current?.setData(data_of(props)), [props.times]);
  return (
    <figure class="load-chart">
      <figcaption>{props.title}</figcaption>
      <div ref={box} />
    </figure>
  );
}
